import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_SAMPLE_ROOT, type FailureRule, startOrigin } from '../dist/sample/index.js'
import { expect, test } from './support/fixtures.js'
import type { State, Viewer } from './support/viewer.js'

/** One variant of 4 s segments of 150 kB, so that both viewers want the same. */
const PLAYLIST = '/vod/v0/index.m3u8'
const segment = (index: number) => `seg-00${index}.ts`

/** Every segment that hls.js was given is the file, byte by byte. */
async function expectTrueBytes({ digests }: State): Promise<void> {
  for (const { url, digest } of digests) {
    const file = await readFile(join(DEFAULT_SAMPLE_ROOT, new URL(url).pathname))
    expect(`${url} ${digest}`).toBe(`${url} ${createHash('sha256').update(file).digest('hex')}`)
  }
}

/** Waits until hls.js was given so many segments. */
async function given(viewer: Viewer, count: number): Promise<State> {
  await expect
    .poll(async () => (await viewer.state()).digests.length, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(count)
  return viewer.state()
}

test('encoded, cut, redirected and refused bodies: true bytes for both viewers, none from the origin twice', async ({
  stack,
}) => {
  const elsewhere = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, live: false })
  const faults: FailureRule[] = [
    { match: segment(0), answer: { status: 302, to: elsewhere.url } },
    { match: segment(1), answer: { body: 'chunked' } },
    { match: segment(2), answer: { cutAfter: 60_000, ending: 'reset' }, times: 1 },
    { match: segment(3), answer: { status: 503, headers: { 'Retry-After': '1' } }, times: 1 },
    // CORS hides Content-Encoding: the length that the page sees is of other bytes.
    { match: segment(4), answer: { body: 'gzip' } },
  ]
  for (const fault of faults) stack.origin.faults.fail(fault)
  const src = stack.origin.url + PLAYLIST
  try {
    const first = await stack.open({ src, digests: true, hls: { enableWorker: false } })
    const early = await given(first, 5)
    const second = await stack.open({ src, digests: true, hls: { enableWorker: false } })
    const late = await given(second, 5)
    for (const state of [early, late]) {
      await expectTrueBytes(state)
      expect(state.fatal).toEqual([])
      expect(state.stalls).toEqual([])
    }
    expect(late.stats?.peerBytes).toBeGreaterThan(0)

    const cut = stack.origin.requests.list.filter(({ path }) => path.endsWith(segment(2)))
    const size = (await readFile(join(DEFAULT_SAMPLE_ROOT, 'vod/v0', segment(2)))).length
    expect(cut.slice(0, 2).map(({ range }) => range)).toEqual([null, `bytes=60000-${size - 1}`])
    expect((cut[0]?.bytes ?? 0) + (cut[1]?.bytes ?? 0)).toBe(size)
    expect(elsewhere.requests.totals('segment').count).toBeGreaterThan(0)
  } finally {
    await elsewhere.close()
  }
})

test('an origin that refuses, or answers with pages, does not fail what a peer holds', async ({ stack }) => {
  const refusing = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, live: false })
  const page = '<!DOCTYPE html><title>Log in to the network</title>'
  refusing.faults.fail({ match: 'seg-', answer: { page }, times: 1 })
  refusing.faults.fail({ match: 'seg-', answer: 403 })
  const shoal = { tracker: stack.tracker.announce, contentId: 'the title' }
  try {
    const first = await stack.open({
      src: stack.origin.url + PLAYLIST,
      shoal,
      digests: true,
      hls: { enableWorker: false },
    })
    // A viewer with little in its buffer does not upload.
    await first.playedTo(2, 20_000)
    await given(first, 4)
    const second = await stack.open({
      src: refusing.url + PLAYLIST,
      shoal,
      digests: true,
      hls: { enableWorker: false, autoStartLoad: false },
    })
    await expect.poll(async () => (await second.state()).stats?.peers, { timeout: 10_000 }).toBe(1)
    await second.page.waitForTimeout(500)
    await second.page.evaluate(() => window.player.hls.startLoad())
    const state = await given(second, 4)
    await expectTrueBytes(state)
    expect(state.fatal).toEqual([])
    expect(state.stats?.httpBytes).toBe(0)
    expect(refusing.requests.totals('segment').count).toBeGreaterThan(0)
  } finally {
    await refusing.close()
  }
})

test('live: tokens that expire in mid-play, on an origin without ranges', async ({ stack }) => {
  const { faults, requests } = stack.origin
  faults.ranges = false
  faults.token = 'one'
  const viewers = [await stack.open({ src: stack.live }), await stack.open({ src: stack.live })]
  for (const viewer of viewers) await viewer.playedTo(0.1, 20_000)
  faults.token = 'two'
  const withNewToken = () => requests.list.filter(({ query, complete }) => query === 'token=two' && complete)
  await expect.poll(() => withNewToken().length, { timeout: 25_000 }).toBeGreaterThan(0)
  for (const viewer of viewers) {
    const { fatal, stalls } = await viewer.state()
    expect({ fatal, stalls }).toEqual({ fatal: [], stalls: [] })
  }
  expect(withNewToken().map(({ status }) => status)).toContain(200)
})
