import { seededRandom } from '@shoal/core/testing'
import { expect, test } from 'vitest'
import { LruBudget } from './lru.js'

test('the least recently used goes first', () => {
  const budget = new LruBudget(30)
  for (const key of ['a', 'b', 'c']) expect(budget.add(key, 10)).toEqual([])
  budget.touch('a')
  expect(budget.add('d', 10)).toEqual(['b'])
  expect(budget.add('e', 20)).toEqual(['c', 'a'])
})

test('the sum never exceeds the bound by more than the newest', () => {
  const random = seededRandom(1)
  const budget = new LruBudget(60)
  const sizes = new Map<string, number>()
  for (let step = 0; step < 2_000; step++) {
    const key = String(Math.floor(random() * 6))
    const size = Math.floor(random() * 80)
    const evicted = budget.add(key, size)
    sizes.set(key, size)
    for (const gone of evicted) sizes.delete(gone)
    const sum = [...sizes.values()].reduce((a, b) => a + b, 0)
    expect(budget.bytes).toBe(sum)
    expect(sum <= 60 || sizes.size === 1).toBe(true)
  }
})
