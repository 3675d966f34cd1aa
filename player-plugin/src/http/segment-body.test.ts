import type { ByteSpan } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { SegmentBody } from './segment-body.js'

const RESOURCE = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)

interface Response {
  readonly announced: number | null
  readonly start?: number
  readonly range?: ByteSpan
  readonly asked?: ByteSpan
  readonly fromStart?: boolean
}

/** Feeds `body` in small blocks. */
function read(body: Uint8Array, { announced, start = 0, range, asked, fromStart = true }: Response) {
  const totals: (number | null)[] = []
  const came: [number, number][] = []
  const placement = { start, length: announced, resourceSize: announced }
  const segmentBody = new SegmentBody(
    placement,
    range ?? null,
    asked ?? range ?? null,
    {
      onResponse: (total) => totals.push(total),
      onData: (offset, bytes) => {
        came.push([offset, offset + bytes.byteLength])
        const from = offset + (range?.start ?? 0)
        expect(bytes).toEqual(RESOURCE.slice(from, from + bytes.byteLength))
      },
    },
    fromStart,
  )
  for (let at = 0; at < body.byteLength; at += 10) segmentBody.push(body.subarray(at, at + 10))
  const fault = segmentBody.finish(200)
  return { totals, first: came[0]?.[0], end: came.at(-1)?.[1], fault, doubtful: segmentBody.doubtful }
}

test('a body longer than announced was encoded: all of it counts', () => {
  expect(read(RESOURCE, { announced: 990 })).toEqual({
    totals: [990],
    first: 0,
    end: 1000,
    fault: null,
    doubtful: false,
  })
})

test('a shorter one is what there is, and doubtful', () => {
  expect(read(RESOURCE, { announced: 1001 })).toMatchObject({ end: 1000, fault: null, doubtful: true })
  expect(read(RESOURCE, { announced: null })).toMatchObject({ end: 1000, fault: null, doubtful: false })
})

test('a part that is too short is a fault, whatever was announced', () => {
  const asked = { start: 0, end: 1001 }
  expect(read(RESOURCE, { announced: 1001, asked })).toMatchObject({
    fault: { kind: 'bad-response' },
    doubtful: false,
  })
})

test('a byte range is cut from a longer body, its size is the playlist’s', () => {
  const range = { start: 300, end: 600 }
  expect(read(RESOURCE, { announced: 1000, range })).toMatchObject({
    totals: [300],
    first: 0,
    end: 300,
    fault: null,
  })
})

const page = (length: number) =>
  new TextEncoder().encode('<!DOCTYPE html><title>Log in</title>'.padEnd(length))

test.each([5, 32, 500])('of %i bytes of text none is handed on', (length) => {
  const result = read(page(length), { announced: length })
  expect(result).toMatchObject({
    totals: [],
    first: undefined,
    fault: { kind: 'bad-response', status: 200 },
  })
})

test('a short body in binary is handed on at the end', () => {
  expect(read(RESOURCE.subarray(0, 5), { announced: 5 })).toMatchObject({ first: 0, end: 5, fault: null })
})

test('text in the middle of a resource is content', () => {
  const body = RESOURCE.slice(64, 100)
  const asked = { start: 64, end: 100 }
  expect(read(body, { announced: 36, start: 64, asked, fromStart: false })).toMatchObject({
    first: 64,
    end: 100,
    fault: null,
  })
})
