import {
  makeAes,
  makeAlternateAudio,
  makeByteRange,
  makeDiscontinuity,
  makeFmp4,
} from '../dist/sample/index.js'
import { expect, test } from './support/fixtures.js'
import { peerShare } from './support/viewer.js'

const VARIANTS = [
  { title: 'fragmented MP4', make: makeFmp4 },
  { title: 'byte ranges', make: makeByteRange },
  { title: 'AES-128', make: makeAes },
  { title: 'alternate audio', make: makeAlternateAudio },
  { title: 'a discontinuity', make: makeDiscontinuity },
]

for (const { title, make } of VARIANTS) {
  test(`${title}: the second viewer takes it from peers`, async ({ stack }) => {
    test.setTimeout(120_000)
    const { name } = await make()
    const src = `${stack.origin.url}/${name}/master.m3u8`
    await stack.startSeeder(src)
    const first = await stack.open({ src })
    await first.playedTo(6, 40_000)
    const second = await stack.open({ src })
    const state = await second.playedTo(24, 60_000)
    expect(state.stalls).toEqual([])
    expect(state.fatal).toEqual([])
    expect(state.frames).toBeGreaterThan(23 * 24 * 0.95)
    expect(peerShare(state.stats)).toBeGreaterThanOrEqual(0.8)
    expect(state.stats?.degraded).toBeNull()
    expect([...first.errors, ...second.errors]).toEqual([])
    if (title === 'alternate audio') {
      const tracks = new Set(
        state.stats?.segments.filter((segment) => segment.http === 0).map((segment) => segment.track),
      )
      expect([...tracks].some((track) => track.startsWith('audio|'))).toBe(true)
      expect([...tracks].some((track) => track.startsWith('main|'))).toBe(true)
    }
  })
}
