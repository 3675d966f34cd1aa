import { expect, it } from 'vitest'
import { PieceRoom } from './piece-room.js'

it('hands room out again to a piece of that size, to one at a time', () => {
  const room = new PieceRoom()
  const first = room.take(100)
  expect(room.take(100)).not.toBe(first)
  room.give(first)
  expect(room.take(100)).toBe(first)
  room.give(first)
  expect(room.take(60).byteLength).toBe(60)
  expect(room.take(100)).not.toBe(first)
})

it('keeps a few at most', () => {
  const room = new PieceRoom()
  const given: Uint8Array[] = Array.from({ length: 20 }, () => new Uint8Array(10))
  for (const piece of given) room.give(piece)
  const again = given.map(() => room.take(10))
  expect(again.filter((piece) => given.includes(piece))).toHaveLength(8)
})
