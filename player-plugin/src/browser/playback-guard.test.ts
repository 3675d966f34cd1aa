import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { PlaybackGuard } from './playback-guard.js'

const LOOK_MS = 500

/** Looks twice a second at these buffers; the result says for each whether uploads should pause. */
function looks(
  guard: PlaybackGuard,
  buffers: readonly number[],
  { from = 0, playing = true } = {},
): boolean[] {
  return buffers.map((ahead, index) => guard.atRisk(ahead, playing, millis(from + index * LOOK_MS)))
}

function falling(from: number, to: number, step = 0.5): number[] {
  return Array.from({ length: Math.round((from - to) / step) + 1 }, (_, index) => from - index * step)
}

describe('PlaybackGuard', () => {
  it('pauses where little is left of a long buffer, and lets go when there is more again', () => {
    const guard = new PlaybackGuard()
    const seen = looks(guard, [20, 12, 6, 4.1, 3.9, 5, 5.9, 6.1, 3.9])
    expect(seen).toEqual([false, false, false, false, true, true, true, false, true])
  })

  it('does not pause at the start, however short the buffer is', () => {
    expect(looks(new PlaybackGuard(), [0, 0, 0.2, 0.5, 1.5, 3, 4, 4, 3.5])).not.toContain(true)
  })

  it('takes the short buffers of a live stream for what they are', () => {
    const guard = new PlaybackGuard()
    const segment = falling(8, 2.5)
    expect(looks(guard, [...segment, ...segment, ...segment])).not.toContain(true)
    expect(looks(guard, [1.5], { from: 18_000 })).toEqual([true])
  })

  it('takes those of a low-latency stream so too', () => {
    const guard = new PlaybackGuard()
    expect(looks(guard, [2.5, 2, 1.5, 1, 2.5, 2, 1.5, 1])).not.toContain(true)
    expect(looks(guard, [0.4, 0.5, 0.9, 1], { from: 4_000 })).toEqual([true, true, false, false])
  })

  it('pauses for a stall, but not for ever: others wait for what it would bring', () => {
    const guard = new PlaybackGuard()
    looks(guard, [8, 8, 8])
    const seen = looks(
      guard,
      Array.from({ length: 60 }, () => 0),
      { from: 1_500 },
    )
    const paused = seen.filter(Boolean).length * LOOK_MS
    expect(seen[0]).toBe(true)
    expect(paused).toBeGreaterThan(5_000)
    expect(paused).toBeLessThanOrEqual(16_000)
    expect(seen.slice(17, 31)).not.toContain(true)
  })

  it('lets go when the viewer pauses', () => {
    const guard = new PlaybackGuard()
    expect(looks(guard, [20, 2])).toEqual([false, true])
    expect(looks(guard, [2, 2], { from: 1_000, playing: false })).toEqual([false, false])
  })
})
