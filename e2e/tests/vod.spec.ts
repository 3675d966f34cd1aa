import { expect, test } from './support/fixtures.js'
import { peerShare } from './support/viewer.js'

test('the second viewer of a VOD is fed by the seeder and the first viewer', async ({ stack }) => {
  test.setTimeout(150_000)
  await stack.startSeeder(stack.vod)
  const first = await stack.open({ src: stack.vod })
  await first.playedTo(12, 40_000)
  const second = await stack.open({ src: stack.vod })
  const state = await second.playedTo(62, 100_000)

  expect(peerShare(state.stats)).toBeGreaterThanOrEqual(0.9)
  expect(state.stats?.peerBytes).toBeGreaterThan(0)
  expect(state.stats?.seederBytes).toBeGreaterThan(0)
  expect(state.stalls).toEqual([])
  // 24 frames a second; the first ones of a decoder may be dropped.
  expect(state.frames).toBeGreaterThan(60 * 24 * 0.95)
  const firstState = await first.state()
  expect(firstState.stalls).toEqual([])
  expect(firstState.stats?.uploadedBytes).toBeGreaterThan(0)
  expect([...first.errors, ...second.errors]).toEqual([])
})
