import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProgressEmitter } from './progress-emitter.js'

function collector(highWaterBytes: number) {
  const chunks: number[][] = []
  const emitter = new ProgressEmitter(highWaterBytes, (chunk) => {
    chunks.push([...new Uint8Array(chunk)])
    // What hls.js's worker does to a buffer it is given.
    structuredClone(chunk, { transfer: [chunk] })
  })
  return { emitter, chunks }
}

test('chunks are joined up to the high-water mark', () => {
  const { emitter, chunks } = collector(3)
  emitter.push(0, Uint8Array.of(1, 2))
  expect(chunks).toEqual([])
  emitter.push(2, Uint8Array.of(3, 4))
  expect(chunks).toEqual([[1, 2, 3, 4]])
  emitter.finish(Uint8Array.of(1, 2, 3, 4, 5))
  expect(chunks).toEqual([[1, 2, 3, 4], [5]])
  expect(emitter.emittedBytes).toBe(5)
})

test('the source is never detached', () => {
  const { emitter } = collector(1)
  const bytes = Uint8Array.of(1, 2)
  emitter.push(0, bytes)
  emitter.finish(bytes)
  expect(bytes.byteLength).toBe(2)
})

test('whatever arrives, and in whatever order, the segment comes out once and in order', () => {
  const spans = fc.array(fc.tuple(fc.nat(63), fc.nat(20)), { maxLength: 20 })
  fc.assert(
    fc.property(spans, fc.integer({ min: 0, max: 30 }), (pushes, highWater) => {
      const segment = Uint8Array.from({ length: 64 }, (_, i) => i)
      const { emitter, chunks } = collector(highWater)
      for (const [offset, length] of pushes) emitter.push(offset, segment.subarray(offset, offset + length))
      emitter.finish(segment)
      expect(chunks.flat()).toEqual([...segment])
    }),
  )
})
