import { describe, expect, it } from 'vitest'
import { IspTally } from './isps.js'
import { type Person, populationOf } from './population.js'
import { SIM_DEFAULTS } from './sim-options.js'

const OPTIONS = { ...SIM_DEFAULTS, viewers: 4_000 }

/** Members of a provider. */
function members(isp: number, count: number): Person[] {
  const [person] = populationOf({ ...SIM_DEFAULTS, viewers: 1 })
  if (person === undefined) throw new Error('nobody came')
  return Array.from({ length: count }, (_, index) => ({ ...person, index, isp }))
}

describe('providers of a simulated population', () => {
  it('have sizes by the law of Zipf', () => {
    const people = populationOf({ ...OPTIONS, isps: 4 })
    const share = (rank: number): number => people.filter(({ isp }) => isp === rank).length / people.length
    // 1 + 1/2 + 1/3 + 1/4 = 25/12.
    for (let rank = 1; rank <= 4; rank++) expect(share(rank)).toBeCloseTo(12 / 25 / rank, 1)
    expect([1, 2, 3, 4].reduce((sum, rank) => sum + share(rank), 0)).toBe(1)
    expect(new Set(people.map(({ city }) => city)).size).toBe(8)
  })

  it('change nothing else of anybody', () => {
    const unplaced = (isps: number) =>
      populationOf({ ...OPTIONS, isps }).map((person) => ({ ...person, isp: 0, city: 0 }))
    expect(unplaced(8)).toEqual(populationOf({ ...OPTIONS, isps: 0 }))
  })
})

describe('the tally of traffic within providers', () => {
  const large = members(1, 17)
  const small = members(2, 16)
  const [a, b] = large as [Person, Person]
  const [c, d] = small as [Person, Person]

  it('counts for the receiver, and apart for those whose provider has members enough', () => {
    const tally = new IspTally()
    tally.add(a, b, 30)
    tally.add(a, c, 10)
    tally.add(c, d, 10)
    tally.add(c, a, 30)
    expect(tally.shares([...large, ...small])).toEqual({ ofLarge: 0.75, ofAll: 0.5 })
    expect(tally.shares([...large.slice(1), ...small])).toEqual({ ofLarge: null, ofAll: 0.5 })
  })

  it('says nothing where no providers are told apart', () => {
    const tally = new IspTally()
    const [one, other] = members(0, 20) as [Person, Person]
    tally.add(one, other, 100)
    expect(tally.shares(members(0, 20))).toEqual({ ofLarge: null, ofAll: null })
  })
})
