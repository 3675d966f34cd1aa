import { trackIdOf } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testBytes, testManifest, testSegmentId } from '../testing/engine-fixtures.js'
import type { Segment } from './segment.js'
import { SegmentStore } from './segment-store.js'

const none = (): boolean => false

function filled(store: SegmentStore, sequence: number, size: number): Segment {
  const segment = store.open(testSegmentId(sequence))
  segment.adopt(testManifest(segment.id, testBytes(size)), 'own')
  return segment
}

describe('SegmentStore', () => {
  it('gives the same segment for the same id', () => {
    const store = new SegmentStore(1_000)
    const segment = store.open(testSegmentId(1))
    expect(store.open(testSegmentId(1))).toBe(segment)
    expect(store.get(segment.key)).toBe(segment)
    store.delete(segment.key)
    expect(store.get(segment.key)).toBeUndefined()
  })

  it('drops the longest unused first, and no more than it must', () => {
    const store = new SegmentStore(250)
    const [first, second, third] = [1, 2, 3].map((sequence) => filled(store, sequence, 100))
    store.open(testSegmentId(1))
    expect(store.evict(none)).toEqual([second])
    expect(store.bytes).toBe(200)
    expect([...store.values()]).toEqual([first, third])
    expect(store.evict(none)).toEqual([])
  })

  it('keeps what is pinned, even over its bound', () => {
    const store = new SegmentStore(50)
    const first = filled(store, 1, 100)
    const second = filled(store, 2, 100)
    expect(store.evict((segment) => segment === first)).toEqual([second])
    expect(store.bytes).toBe(100)
  })

  it('counts the bytes that are in memory, whatever happens to its segments', () => {
    const command = fc.record({
      sequence: fc.nat(4),
      action: fc.constantFrom('fill', 'reset', 'external', 'delete', 'evict', 'replace'),
      size: fc.integer({ min: 1, max: 300 }),
    })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const store = new SegmentStore(500)
        for (const { sequence, action, size } of commands) {
          const id = testSegmentId(sequence)
          const segment = store.open(id)
          if (action === 'fill' && segment.manifest === null) filled(store, sequence, size)
          if (action === 'reset') segment.reset()
          if (action === 'external') {
            segment.reset()
            segment.external = true
          }
          if (action === 'replace') segment.buffer = new Uint8Array(size)
          if (action === 'delete') {
            store.delete(segment.key)
            // A hash or a load may still hold what is no longer kept.
            segment.buffer = new Uint8Array(size)
          }
          if (action === 'evict') {
            store.evict(none)
            expect(store.bytes).toBeLessThanOrEqual(500)
          }
          let bytes = 0
          for (const { buffer } of store.values()) bytes += buffer?.byteLength ?? 0
          expect(store.bytes).toBe(bytes)
        }
      }),
    )
  })

  it('drops parts that playlists no longer name, of the same track and where nobody wants them', () => {
    const store = new SegmentStore(1_000_000)
    for (const sequence of [4, 5, 6, 7, 10]) store.open(testSegmentId(sequence, 0))
    store.open(testSegmentId(4))
    store.open({ ...testSegmentId(4, 0), track: trackIdOf('another') })
    const wanted = store.open(testSegmentId(5, 1))
    const dropped = store.dropOldParts(testSegmentId(10, 3), (segment) => segment === wanted)
    expect(dropped.map(({ id }) => id.sequence)).toEqual([4, 5, 6])
    expect([...store.values()].map(({ id }) => [id.sequence, id.part])).toEqual([
      [7, 0],
      [10, 0],
      [4, null],
      [4, 0],
      [5, 1],
    ])
  })

  it('bounds the number of segments without bytes', () => {
    const store = new SegmentStore(1_000)
    for (let sequence = 0; sequence < 66_000; sequence++) store.open(testSegmentId(sequence))
    const dropped = store.evict(none)
    expect(dropped.length).toBe(66_000 - 65_536)
    expect(dropped[0]?.id.sequence).toBe(0)
    expect([...store.values()]).toHaveLength(65_536)
  })
})
