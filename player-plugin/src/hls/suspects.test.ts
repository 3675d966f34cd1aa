import { trackIdOf } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { Suspects } from './suspects.js'

const segment = (sequence: number) => ({ track: trackIdOf('main|single'), sequence, part: null })

test('a suspect goes past the swarm once', () => {
  const suspects = new Suspects()
  suspects.add(segment(1))
  expect(suspects.take(segment(2))).toBe(false)
  expect(suspects.take(segment(1))).toBe(true)
  expect(suspects.take(segment(1))).toBe(false)
})

test('the oldest of many is forgotten', () => {
  const suspects = new Suspects()
  for (let sequence = 0; sequence < 65; sequence++) suspects.add(segment(sequence))
  expect(suspects.take(segment(0))).toBe(false)
  expect(suspects.take(segment(1))).toBe(true)
  expect(suspects.take(segment(64))).toBe(true)
})
