import { expect, test } from 'vitest'
import { placeResponse, rangeHeader, requestRange } from './place-response.js'

const head = { status: 206, contentRange: null, contentLength: null }

test('Content-Range says where a part lies', () => {
  const contentRange = 'bytes 100-199/1000'
  expect(placeResponse({ ...head, contentRange }, { start: 50, end: 150 })).toEqual({
    start: 100,
    length: 100,
    resourceSize: 1000,
  })
})

test('a part whose place CORS hides is where it was asked for', () => {
  expect(placeResponse({ ...head, contentLength: 100 }, { start: 50, end: 150 })).toEqual({
    start: 50,
    length: 100,
    resourceSize: null,
  })
})

test('an unknown size, and a Content-Range that makes no sense', () => {
  expect(placeResponse({ ...head, contentRange: 'bytes 0-9/*' }, null)?.resourceSize).toBeNull()
  const asked = { start: 7, end: 9 }
  for (const contentRange of ['bytes */1000', `bytes 1${'0'.repeat(400)}-2/3`]) {
    expect(placeResponse({ ...head, contentRange }, asked)).toMatchObject({ start: 7, resourceSize: null })
  }
})

test('a part whose place is hidden and that is not what was asked for is nowhere', () => {
  const asked = { start: 50, end: 150 }
  expect(placeResponse({ ...head, contentLength: 101 }, asked)).toBeNull()
  // A resource may end before the range does.
  expect(placeResponse({ ...head, contentLength: 99 }, asked)?.start).toBe(50)
})

test('200 is everything from the start, whatever was asked', () => {
  const whole = { status: 200, contentRange: null, contentLength: 1000 }
  expect(placeResponse(whole, { start: 50, end: 150 })).toEqual({
    start: 0,
    length: 1000,
    resourceSize: 1000,
  })
})

test('spans inside a byte range are offset', () => {
  expect(requestRange({ start: 1000, end: 5000 }, { start: 10, end: 20 })).toEqual({ start: 1010, end: 1020 })
  expect(requestRange({ start: 1000, end: 5000 }, null)).toEqual({ start: 1000, end: 5000 })
  expect(requestRange(null, { start: 10, end: 20 })).toEqual({ start: 10, end: 20 })
  expect(requestRange(null, null)).toBeNull()
  expect(rangeHeader({ start: 10, end: 20 })).toBe('bytes=10-19')
})
