import { expect, type Stack, test } from './support/fixtures.js'
import type { State, Viewer } from './support/viewer.js'

/** Parts that were loaded by the time of a state, by where their bytes came from. */
function partsOf({ stats }: State) {
  const parts = (stats?.segments ?? []).filter(({ part }) => part !== null)
  return { all: parts.length, fromPeers: parts.filter(({ peers }) => peers > 0).length }
}

/** Share of the parts of all viewers in which peers had a part. */
function shareFromPeers(states: readonly State[]): number {
  const parts = states.map(partsOf)
  const sum = (key: 'all' | 'fromPeers') => parts.reduce((total, one) => total + one[key], 0)
  return sum('fromPeers') / Math.max(1, sum('all'))
}

/** Waits until `done` says so of the viewers' states; the last states in any case. */
async function statesWhen(
  viewers: readonly Viewer[],
  done: (states: readonly State[]) => boolean,
  timeoutMs: number,
): Promise<State[]> {
  const until = Date.now() + timeoutMs
  for (;;) {
    const states = await Promise.all(viewers.map((viewer) => viewer.state()))
    if (done(states) || Date.now() > until) return states
    await viewers[0]?.page.waitForTimeout(500)
  }
}

/** Playback that has fallen behind is let catch up, so that the stream's own distance is what is tested. */
function open(stack: Stack, shoal?: null): Promise<Viewer> {
  const src = `${stack.origin.url}/low-latency/v0/index.m3u8`
  const hls = { maxLiveSyncPlaybackRate: 1.5 }
  return stack.open({ src, hls, idle: true, ...(shoal === null ? { shoal } : {}) })
}

test('parts of a low-latency stream travel between viewers at the latency of plain hls.js', async ({
  stack,
}) => {
  test.setTimeout(90_000)
  const [plain, ...viewers] = await Promise.all([open(stack, null), open(stack), open(stack), open(stack)])
  await Promise.all([plain, ...viewers].map((viewer) => viewer.start()))
  await Promise.all([plain, ...viewers].map((viewer) => viewer.playedTo(0.1, 30_000)))
  const states = await statesWhen(
    viewers,
    (now) => now.every((state) => partsOf(state).all >= 40) && shareFromPeers(now) >= 0.3,
    30_000,
  )
  for (const state of states) {
    expect(partsOf(state).all).toBeGreaterThanOrEqual(40)
    expect(state.fatal).toEqual([])
  }
  // The bound for three viewers is two thirds, and the first parts come before anybody is connected.
  expect(shareFromPeers(states)).toBeGreaterThanOrEqual(0.3)
  for (const { errors } of viewers) expect(errors).toEqual([])
  const control = await plain.state()
  expect(control.fatal).toEqual([])
  // The middle one of three: a page that a busy machine started late stays late.
  const latencies = states.map(({ latency }) => latency).sort((a, b) => a - b)
  const stalls = states.map((state) => state.stalls.length).sort((a, b) => a - b)
  expect(latencies[1]).toBeLessThanOrEqual(control.latency + 1)
  expect(stalls[1]).toBeLessThanOrEqual(control.stalls.length)
})
