import { setTimeout as sleep } from 'node:timers/promises'
import { expect, type Stack, test } from './support/fixtures.js'
import { peerShare } from './support/viewer.js'

/** Resolves just after the live playlists have moved on. */
async function nextSegment({ origin }: Stack): Promise<void> {
  const last = () => origin.live?.window(Date.now()).last
  const before = last()
  while (last() === before) await sleep(20)
}

test('three viewers of a live stream are fed by each other at the latency of plain hls.js', async ({
  stack,
}) => {
  test.setTimeout(150_000)
  await stack.startSeeder(stack.live)
  // hls.js begins three target durations behind the playlist's end, and that end is up to a segment
  // old: only players that load the same playlist, at the same moment, can be compared.
  const open = (shoal?: null) =>
    stack.open({ src: stack.live, idle: true, ...(shoal === null ? { shoal } : {}) })
  const [plain, ...viewers] = await Promise.all([open(null), open(), open(), open()])
  await nextSegment(stack)
  await Promise.all([plain, ...viewers].map((viewer) => viewer.start()))
  for (const viewer of viewers) await viewer.playedTo(0.1, 30_000)
  await plain.page.waitForTimeout(60_000)

  const control = await plain.state()
  expect(control.stalls).toEqual([])
  const latencies: number[] = []
  for (const viewer of viewers) {
    const state = await viewer.state()
    expect(state.stalls).toEqual([])
    expect(state.frames).toBeGreaterThan(58 * 24 * 0.95)
    latencies.push(state.latency)
    expect(peerShare(state.stats)).toBeGreaterThanOrEqual(0.8)
    expect(viewer.errors).toEqual([])
  }
  // The middle one of three: a page that a busy machine started late stays late.
  latencies.sort((a, b) => a - b)
  expect(latencies[1]).toBeLessThanOrEqual(control.latency + 1)
})

test('a live stream without a seeder is fetched from the origin about once', async ({ stack }) => {
  test.setTimeout(120_000)
  const viewers = []
  for (let i = 0; i < 3; i++) viewers.push(await stack.open({ src: stack.live }))
  for (const viewer of viewers) await viewer.playedTo(0.1, 30_000)
  await viewers[0]?.page.waitForTimeout(15_000)
  const before = await Promise.all(viewers.map((viewer) => viewer.state()))
  await viewers[0]?.page.waitForTimeout(25_000)
  for (const [index, viewer] of viewers.entries()) {
    const state = await viewer.state()
    expect(state.stalls).toEqual([])
    expect(viewer.errors).toEqual([])
    expect(state.currentTime).toBeGreaterThan((before[index]?.currentTime ?? 0) + 23)
  }
  const after = await Promise.all(viewers.map((viewer) => viewer.state()))
  const bytes = (states: typeof after, key: 'httpBytes' | 'peerBytes') =>
    states.reduce((sum, { stats }) => sum + (stats?.[key] ?? 0), 0)
  const http = bytes(after, 'httpBytes') - bytes(before, 'httpBytes')
  const peers = bytes(after, 'peerBytes') - bytes(before, 'peerBytes')
  // The bound for three viewers is two thirds: one of them must fetch each segment.
  expect(peers / (http + peers)).toBeGreaterThan(0.5)
})
