import { DecodeError, type FeedFrame } from '@shoal/protocol'
import fc from 'fast-check'
import { Packr, pack } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { decodeFrame, MAX_FRAME_BYTES, MAX_HISTORY_SAMPLES, MAX_SWARMS, MAX_TEXT_LENGTH } from './decode.js'
import { statsFrame, swarm } from './frames.testing.js'

const HASH = 'ab'.repeat(20)

function codeOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
}

/** A frame's bytes with one value replaced: `path` leads to it. */
function bent(frame: FeedFrame, path: readonly (string | number)[], value: unknown): Uint8Array {
  const copy: unknown = structuredClone(frame)
  let holder = copy
  for (const step of path.slice(0, -1)) holder = Reflect.get(Object(holder), step)
  Reflect.set(Object(holder), path.at(-1) ?? '', value)
  return pack(copy)
}

describe('decodeFrame', () => {
  it('reads what a tracker sends', () => {
    const frame = statsFrame({
      top: [swarm({ infoHash: HASH, name: 'Harbour' }), swarm({ infoHash: 'cd'.repeat(20), name: null })],
    })
    expect(decodeFrame(pack(frame))).toEqual(frame)
    const history: FeedFrame = { type: 'history', samples: [frame.sample, { ...frame.sample, at: 2000.5 }] }
    expect(decodeFrame(pack(history))).toEqual(history)
    expect(decodeFrame(pack({ type: 'history', samples: [] }))).toEqual({ type: 'history', samples: [] })
  })

  it('reads numbers however MessagePack wrote them', () => {
    const frame = statsFrame({})
    const large = 2 ** 40 + 1
    const bytes = bent(frame, ['stats', 'totals', 'peerBytes'], BigInt(large))
    const read = decodeFrame(bytes)
    expect(read.type === 'stats' && read.stats.totals.peerBytes).toBe(large)
  })

  it('reads frames that an encoder wrote as records', () => {
    const frame = statsFrame({ top: [swarm({ infoHash: HASH })] })
    expect(decodeFrame(new Packr({ useRecords: true }).pack(frame))).toEqual(frame)
  })

  it('passes over keys that a newer tracker may add', () => {
    const frame = statsFrame({})
    expect(decodeFrame(pack({ ...frame, extra: 1, stats: { ...frame.stats, regions: ['eu'] } }))).toEqual(
      frame,
    )
  })

  it('cuts a long name instead of losing the frame', () => {
    const read = decodeFrame(pack(statsFrame({ top: [swarm({ infoHash: HASH, name: 'x'.repeat(5000) })] })))
    expect(read.type === 'stats' && read.stats.top[0]?.name).toBe('x'.repeat(MAX_TEXT_LENGTH))
  })

  it('writes info hashes in lower case', () => {
    const read = decodeFrame(pack(statsFrame({ top: [swarm({ infoHash: HASH.toUpperCase() })] })))
    expect(read.type === 'stats' && read.stats.top[0]?.infoHash).toBe(HASH)
  })

  it.each([
    ['a negative count', ['stats', 'viewers'], -1],
    ['half a viewer', ['stats', 'viewers'], 1.5],
    ['a count as text', ['stats', 'seeders'], '3'],
    ['NaN', ['sample', 'httpRate'], Number.NaN],
    ['infinity', ['sample', 'peerRate'], Number.POSITIVE_INFINITY],
    ['an amount past 2^53', ['stats', 'totals', 'httpBytes'], 2 ** 60],
    ['a missing total', ['stats', 'totals', 'uploadedBytes'], undefined],
    ['an unknown engine', ['stats', 'engine'], 'nginx'],
    ['a version that is no text', ['stats', 'version'], 1],
    ['a short info hash', ['stats', 'top', 0, 'infoHash'], 'abcd'],
    ['a name that is no text', ['stats', 'top', 0, 'name'], { toString: 'x' }],
    ['a missing name', ['stats', 'top', 0, 'name'], undefined],
    ['stats as a list', ['stats'], [1, 2]],
    ['totals as null', ['stats', 'totals'], null],
    ['top as a map', ['stats', 'top'], { 0: 1 }],
  ] as const)('rejects %s', (_, path, value) => {
    const frame = statsFrame({ top: [swarm({ infoHash: HASH })] })
    expect(codeOf(() => decodeFrame(bent(frame, path, value)))).toBe('bad-value')
  })

  it('rejects one swarm listed twice, even in another case', () => {
    const frame = statsFrame({ top: [swarm({ infoHash: HASH }), swarm({ infoHash: HASH.toUpperCase() })] })
    expect(codeOf(() => decodeFrame(pack(frame)))).toBe('bad-value')
  })

  it('rejects what is too large, before it reads it', () => {
    expect(codeOf(() => decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1)))).toBe('too-large')
    const { sample } = statsFrame({})
    const samples = Array.from({ length: MAX_HISTORY_SAMPLES + 1 }, () => sample)
    expect(codeOf(() => decodeFrame(pack({ type: 'history', samples })))).toBe('too-large')
    const top = Array.from({ length: MAX_SWARMS + 1 }, (_, index) =>
      swarm({ infoHash: index.toString(16).padStart(40, '0') }),
    )
    expect(codeOf(() => decodeFrame(pack(statsFrame({ top }))))).toBe('too-large')
  })

  it('rejects lengths that lie and nesting without end', () => {
    expect(codeOf(() => decodeFrame(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)))).toBe('bad-value')
    expect(codeOf(() => decodeFrame(Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)))).toBe('bad-value')
    expect(codeOf(() => decodeFrame(Uint8Array.of(0xdb, 0x7f, 0xff, 0xff, 0xff)))).toBe('bad-value')
    expect(codeOf(() => decodeFrame(new Uint8Array(1_000_000).fill(0x91)))).toBe('bad-value')
  })

  it('names what it does not know', () => {
    expect(codeOf(() => decodeFrame(new Uint8Array()))).toBe('empty')
    expect(codeOf(() => decodeFrame(pack({ type: 'log' })))).toBe('unknown-type')
    expect(codeOf(() => decodeFrame(pack('stats')))).toBe('bad-value')
  })

  it('throws nothing but DecodeError for any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 200 }),
        (bytes) => codeOf(() => decodeFrame(bytes)) !== undefined,
      ),
    )
  })

  it('throws nothing but DecodeError for a frame with flipped bytes', () => {
    const bytes = pack(statsFrame({ top: [swarm({ infoHash: HASH, name: 'Harbour' })] }))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const copy = Uint8Array.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ flip
        codeOf(() => decodeFrame(copy))
      }),
      { numRuns: 2000 },
    )
  })
})
