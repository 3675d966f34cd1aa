import { DEFAULT_SAMPLE_ROOT, startOrigin } from '../dist/sample/index.js'
import { expect, test } from './support/fixtures.js'
import { peerShare } from './support/viewer.js'

test('playback goes on when the tracker, the seeder and a viewer are killed', async ({ stack }) => {
  test.setTimeout(150_000)
  const seeder = await stack.startSeeder(stack.vod)
  const other = await stack.openKillable({ src: stack.vod })
  await other.viewer.playedTo(8, 40_000)
  const viewer = await stack.open({ src: stack.vod })
  await viewer.playedTo(6, 40_000)
  expect(peerShare((await viewer.state()).stats)).toBeGreaterThan(0)

  stack.tracker.kill()
  await viewer.playedTo(16, 40_000)
  seeder.kill()
  await viewer.playedTo(28, 40_000)
  other.kill()
  const state = await viewer.playedTo(62, 100_000)

  expect(state.stalls).toEqual([])
  expect(state.fatal).toEqual([])
  expect(state.frames).toBeGreaterThan(60 * 24 * 0.95)
  expect(state.stats?.httpBytes).toBeGreaterThan(0)
  expect(viewer.errors).toEqual([])
})

test('a live viewer whose seeder is killed in mid-play goes on by HTTP without a stall', async ({
  stack,
}) => {
  test.setTimeout(120_000)
  const seeder = await stack.startSeeder(stack.live)
  const viewer = await stack.open({ src: stack.live })
  await viewer.playedTo(0.1, 30_000)
  await viewer.page.waitForTimeout(12_000)
  const before = await viewer.state()
  expect(before.stats?.seederBytes).toBeGreaterThan(0)
  seeder.kill()
  await viewer.page.waitForTimeout(25_000)
  const after = await viewer.state()
  expect(after.stalls).toEqual([])
  expect(after.currentTime).toBeGreaterThan(before.currentTime + 23)
  expect(after.stats?.httpBytes).toBeGreaterThan(before.stats?.httpBytes ?? 0)
})

const ALONE: { name: string; shoal: Record<string, unknown>; degraded: string; before?: string }[] = [
  { name: 'no tracker', shoal: {}, degraded: 'no-tracker' },
  { name: 'an unreachable tracker', shoal: { tracker: 'ws://127.0.0.1:9' }, degraded: 'tracker-unreachable' },
  {
    name: 'peers refused by the site',
    shoal: { tracker: 'ws://127.0.0.1:9', p2p: false },
    degraded: 'p2p-off',
  },
]

for (const { name, shoal, degraded } of ALONE) {
  test(`with ${name} it plays as plain hls.js does and says why`, async ({ stack }) => {
    const viewer = await stack.open({ src: stack.vod, shoal })
    const state = await viewer.playedTo(6, 30_000)
    expect(state.stalls).toEqual([])
    expect(state.stats).toMatchObject({ degraded, peerBytes: 0, seederBytes: 0 })
    expect(state.stats?.httpBytes).toBeGreaterThan(0)
    expect(viewer.errors).toEqual([])
  })
}

test('without WebRTC it plays by HTTP, from a seeder where the origin fails, and says so', async ({
  stack,
}) => {
  const contentId = 'the title'
  await stack.startSeeder(stack.vod, ['--host', '127.0.0.1', '--content-id', contentId])
  const failing = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, live: false })
  failing.faults.fail({ match: 'seg-001', answer: 503 })
  try {
    const viewer = await stack.open({
      src: `${failing.url}/vod/master.m3u8`,
      shoal: { tracker: stack.tracker.announce, contentId },
      init: 'delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection',
    })
    const state = await viewer.playedTo(6, 30_000)
    expect(state.stalls).toEqual([])
    expect(state.fatal).toEqual([])
    expect(state.stats).toMatchObject({ degraded: 'no-webrtc', peerBytes: 0 })
    expect(state.stats?.httpBytes).toBeGreaterThan(0)
    expect(state.stats?.seederBytes).toBeGreaterThan(0)
    expect(viewer.errors).toEqual([])
  } finally {
    await failing.close()
  }
})

test('with UDP blocked it plays by HTTP and says that connections fail', async ({ stack }) => {
  test.setTimeout(120_000)
  await stack.startSeeder(stack.vod)
  // A browser that may use only a proxy's UDP, and has no proxy, can reach nobody.
  const viewer = await stack.open({
    src: stack.vod,
    init: `const Native = window.RTCPeerConnection
      window.RTCPeerConnection = class extends Native {
        constructor(config) { super({ ...config, iceTransportPolicy: 'relay' }) }
      }`,
  })
  const degraded = async () => (await viewer.state()).stats?.degraded
  await expect.poll(degraded, { timeout: 100_000, intervals: [500] }).toBe('links-fail')
  const { currentTime } = await viewer.state()
  const state = await viewer.playedTo(currentTime + 3, 20_000)
  expect(state.stalls).toEqual([])
  expect(state.stats).toMatchObject({ degraded: 'links-fail', peerBytes: 0, seederBytes: 0 })
})
