import {
  makeAes,
  makeAlternateAudio,
  makeByteRange,
  makeDiscontinuity,
  makeFmp4,
  type Sample,
} from '../dist/sample/index.js'
import { expect, type Stack, test } from './support/fixtures.js'
import { peerShare, type State } from './support/viewer.js'

/** Plays a sample in two pages, the second a little after the first, and gives what the second saw. */
async function playTwice(stack: Stack, { name }: Sample): Promise<State> {
  const src = `${stack.origin.url}/${name}/master.m3u8`
  await stack.startSeeder(src)
  const first = await stack.open({ src })
  await first.playedTo(4, 40_000)
  const second = await stack.open({ src })
  const state = await second.playedTo(22, 60_000)
  expect([...first.errors, ...second.errors]).toEqual([])
  expect(state.stalls).toEqual([])
  expect(state.fatal).toEqual([])
  expect(state.frames).toBeGreaterThan(21 * 24 * 0.95)
  expect(state.stats?.degraded).toBeNull()
  expect(peerShare(state.stats)).toBeGreaterThanOrEqual(0.8)
  return state
}

// Two or three samples at a time: that many pages still decode in real time on two cores.

test('fragmented MP4 and byte ranges: the second viewer takes them from peers', async ({ stack }) => {
  test.setTimeout(150_000)
  const samples = [await makeFmp4(), await makeByteRange()]
  await Promise.all(samples.map((sample) => playTwice(stack, sample)))
})

test('AES-128, alternate audio, a discontinuity: the second viewer takes them from peers', async ({
  stack,
}) => {
  test.setTimeout(150_000)
  const [aes, audio, discontinuity] = [await makeAes(), await makeAlternateAudio(), await makeDiscontinuity()]
  const [, heard] = await Promise.all([aes, audio, discontinuity].map((sample) => playTwice(stack, sample)))
  const fromPeers = heard?.stats?.segments.filter(({ peers, seeders }) => peers + seeders > 0) ?? []
  expect(fromPeers.some(({ track }) => track.startsWith('audio|'))).toBe(true)
  expect(fromPeers.some(({ track }) => track.startsWith('main|'))).toBe(true)
})
