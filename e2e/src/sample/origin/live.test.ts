import { describe, expect, it } from 'vitest'
import { LiveStream } from './live.js'

const START = Date.UTC(2026, 0, 1)
const source = {
  tracks: new Map([['v0', ['seg-000.ts', 'seg-001.ts', 'seg-002.ts']]]),
  segmentCount: 3,
  segmentSeconds: 4,
}
const stream = (windowSegments = 4) => new LiveStream(source, START, { windowSegments, graceSegments: 2 })
const at = (seconds: number) => START + seconds * 1000

/** Discontinuity sequence number of each listed segment, by the rules of RFC 8216, section 6.3.2. */
function discontinuities(playlist: string): Map<number, number> {
  let sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1])
  let discontinuity = Number(/DISCONTINUITY-SEQUENCE:(\d+)/.exec(playlist)?.[1])
  const numbers = new Map<number, number>()
  for (const line of playlist.split('\n')) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity += 1
    else if (line.startsWith('seg-')) {
      expect(line).toBe(`seg-${sequence}.ts`)
      numbers.set(sequence, discontinuity)
      sequence += 1
    }
  }
  return numbers
}

describe('LiveStream', () => {
  it('has a full window from sequence 0 when it starts', () => {
    expect(stream().window(START)).toEqual({ first: 0, last: 3 })
    expect(stream().window(START - 1)).toEqual({ first: 0, last: 2 })
  })

  it('publishes a segment each segment duration', () => {
    expect(stream().window(at(3.999))).toEqual({ first: 0, last: 3 })
    expect(stream().window(at(4))).toEqual({ first: 1, last: 4 })
    expect(stream().window(at(4000))).toEqual({ first: 1000, last: 1003 })
  })

  it('keeps every segment in the same discontinuity while the window moves over the loops', () => {
    const seen = new Map<number, number>()
    for (let seconds = 0; seconds < 80; seconds += 2) {
      for (const [sequence, discontinuity] of discontinuities(stream().playlist('v0', at(seconds)) ?? '')) {
        expect(discontinuity).toBe(seen.get(sequence) ?? Math.floor(sequence / 3))
        seen.set(sequence, discontinuity)
      }
    }
    expect(seen.size).toBe(23)
  })

  it('dates the first segment and the one after each discontinuity', () => {
    const playlist = stream().playlist('v0', at(4)) ?? ''
    expect(playlist).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:6',
        '#EXT-X-TARGETDURATION:4',
        '#EXT-X-MEDIA-SEQUENCE:1',
        '#EXT-X-DISCONTINUITY-SEQUENCE:0',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-PROGRAM-DATE-TIME:2025-12-31T23:59:48.000Z',
        ...['#EXTINF:4.000000,', 'seg-1.ts', '#EXTINF:4.000000,', 'seg-2.ts'],
        '#EXT-X-DISCONTINUITY',
        '#EXT-X-PROGRAM-DATE-TIME:2025-12-31T23:59:56.000Z',
        ...['#EXTINF:4.000000,', 'seg-3.ts', '#EXTINF:4.000000,', 'seg-4.ts', ''],
      ].join('\n'),
    )
  })

  it('serves a segment from its publication until it left the window and the grace', () => {
    const file = (sequence: number, seconds: number) =>
      stream().segmentFile('v0', `seg-${sequence}.ts`, at(seconds))
    expect(file(4, 3.9)).toBeNull()
    expect(file(4, 4)).toBe('v0/seg-001.ts')
    expect(file(4, 4 + 4 * 5)).toBe('v0/seg-001.ts')
    expect(file(4, 4 + 4 * 6)).toBeNull()
  })

  it.each(['seg-00.ts', 'seg-1.m4s', 'seg-1.ts.bak', 'seg--1.ts', 'seg-x.ts', 'index.ts'])(
    'has no %s',
    (name) => {
      expect(stream().segmentFile('v0', name, at(0))).toBeNull()
    },
  )

  it('has no other track', () => {
    expect(stream().playlist('v1', at(0))).toBeNull()
    expect(stream().segmentFile('v1', 'seg-1.ts', at(0))).toBeNull()
  })
})
