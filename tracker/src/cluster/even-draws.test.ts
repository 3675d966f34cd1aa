import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom } from '../testing/swarm-builder.js'
import { EvenDraws } from './even-draws.js'

it('draws as often as the chances say, in any stretch of them', () => {
  const means = fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(means, fc.nat(), fc.nat(59), (all, seed, skipped) => {
      const draws = new EvenDraws(seededRandom(seed))
      for (const mean of all.slice(0, skipped)) draws.draw(mean)
      const some = all.slice(skipped)
      const sum = some.reduce((total, mean) => total + mean, 0)
      const drawn = some.reduce((total, mean) => total + draws.draw(mean), 0)
      expect(Math.abs(drawn - sum)).toBeLessThan(2)
    }),
  )
})

it('draws each as likely, whatever their order', () => {
  const draws = new EvenDraws(seededRandom(7))
  const drawn = [0, 0, 0, 0]
  for (let i = 0; i < 40_000; i++) drawn[i % 4] = (drawn[i % 4] ?? 0) + draws.draw(0.3)
  for (const count of drawn) expect(count / 10_000).toBeCloseTo(0.3, 1)
})

it('goes on where its numbers begin anew', () => {
  const draws = new EvenDraws(seededRandom(7))
  let drawn = 0
  for (let i = 0; i < 300; i++) drawn += draws.draw(10_000.25)
  expect(Math.abs(drawn - 300 * 10_000.25)).toBeLessThanOrEqual(1)
})
