import { describe, expect, it } from 'vitest'
import { swarm } from './frames.testing.js'
import { chosenOrder, DEFAULT_ORDER, heldSwarms, type SortKey, sortedSwarms } from './order.js'

const hash = (digit: string): string => digit.repeat(40)
const swarms = [
  swarm({ infoHash: hash('a'), name: 'title 10', viewers: 5, httpBytes: 100 }),
  swarm({ infoHash: hash('b'), name: 'Title 9', viewers: 50, peerBytes: 30, httpBytes: 10 }),
  swarm({ infoHash: hash('c'), name: null, viewers: 5 }),
  swarm({ infoHash: hash('d'), name: 'Ärger', viewers: 0, seeders: 4, seederBytes: 1, httpBytes: 1 }),
]

function sorted(key: SortKey, descending: boolean): string {
  return sortedSwarms(swarms, { key, descending })
    .map(({ infoHash }) => infoHash[0])
    .join('')
}

describe('sortedSwarms', () => {
  it('sorts by number, equals by hash', () => {
    expect(sorted('viewers', true)).toBe('bacd')
    expect(sorted('viewers', false)).toBe('dacb')
    expect(sorted('seeders', true)).toBe('dabc')
    expect(sorted('bytes', true)).toBe('abdc')
  })

  it('sorts names as people do, the nameless last either way', () => {
    expect(sorted('name', false)).toBe('dbac')
    expect(sorted('name', true)).toBe('abdc')
  })

  it('keeps swarms without bytes last by offload, either way', () => {
    expect(sorted('offload', true)).toBe('bdac')
    expect(sorted('offload', false)).toBe('adbc')
  })

  it('leaves its argument alone', () => {
    const before = [...swarms]
    sortedSwarms(swarms, DEFAULT_ORDER)
    expect(swarms).toEqual(before)
  })
})

describe('chosenOrder', () => {
  it('begins with the largest, with A for names, and turns round', () => {
    const byBytes = chosenOrder(DEFAULT_ORDER, 'bytes')
    expect(byBytes).toEqual({ key: 'bytes', descending: true })
    expect(chosenOrder(byBytes, 'bytes')).toEqual({ key: 'bytes', descending: false })
    expect(chosenOrder(byBytes, 'name')).toEqual({ key: 'name', descending: false })
  })
})

describe('heldSwarms', () => {
  it('keeps places, puts new ones last and forgets the gone', () => {
    const shown = [hash('d'), hash('e'), hash('a')]
    expect(heldSwarms(swarms, shown).map(({ infoHash }) => infoHash[0])).toEqual(['d', 'a', 'b', 'c'])
  })
})
