import type { InfoHash } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { VOUCH_MS, Vouches } from './vouches.js'

const A = 'a'.repeat(20) as InfoHash
const B = 'b'.repeat(20) as InfoHash

it('keys of a swarm, for as long as their seeders are there and a while after', () => {
  const vouches = new Vouches()
  expect(vouches.add(A, 'one', 'token', millis(0))).toBe(true)
  expect(vouches.add(A, 'one', 'token', millis(1000))).toBe(false)
  vouches.add(A, 'two', 'loopback', millis(0))
  expect([vouches.listJson(A), vouches.listJson(B), vouches.size]).toEqual(['["one","two"]', null, 2])
  vouches.expire(millis(VOUCH_MS))
  expect(vouches.listJson(A)).toBe('["one"]')
  vouches.expire(millis(VOUCH_MS + 1000))
  expect([vouches.listJson(A), vouches.size]).toEqual([null, 0])
})

it('what rests on one ground can be taken back', () => {
  const vouches = new Vouches()
  vouches.add(A, 'one', 'loopback', millis(0))
  vouches.add(A, 'two', 'list', millis(0))
  // Another node says the same; this one's own ground stays.
  vouches.add(A, 'one', 'node', millis(0))
  vouches.drop('loopback')
  expect([vouches.listJson(A), vouches.size]).toEqual(['["two"]', 1])
})

it('eight keys of a swarm at most', () => {
  const vouches = new Vouches()
  for (let n = 0; n < 20; n++) vouches.add(A, `key ${n}`, 'token', millis(0))
  expect(vouches.size).toBe(8)
  expect(JSON.parse(vouches.listJson(A) ?? '[]')).toHaveLength(8)
})
