import { millis, type PeerId } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { AvoidedPeers } from './avoided-peers.js'

const peer = (number: number): PeerId => `peer-${number}`.padEnd(20, '-') as PeerId

test('a peer is avoided for half a minute from the last time', () => {
  const avoided = new AvoidedPeers()
  expect(avoided.has(peer(1), millis(0))).toBe(false)
  avoided.add(peer(1), millis(0))
  avoided.add(peer(1), millis(20_000))
  expect(avoided.has(peer(1), millis(49_999))).toBe(true)
  expect(avoided.has(peer(2), millis(20_000))).toBe(false)
  expect(avoided.has(peer(1), millis(50_000))).toBe(false)
})

test('of many, the last two hundred are remembered', () => {
  const avoided = new AvoidedPeers()
  for (let number = 0; number < 1_000; number++) avoided.add(peer(number), millis(number))
  const remembered = Array.from({ length: 1_000 }, (_, number) => avoided.has(peer(number), millis(1_000)))
  expect(remembered.indexOf(true)).toBe(800)
  expect(remembered.filter(Boolean)).toHaveLength(200)
})
