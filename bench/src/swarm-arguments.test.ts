// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import { readSwarmSettings } from './swarm-arguments.js'
import { ROWS } from './swarm-rows.js'
import { SCENARIOS } from './swarm-scenarios.js'

describe('readSwarmSettings', () => {
  it('takes lists, and all rows', () => {
    const settings = readSwarmSettings(
      { viewers: '2,5', seed: '1,2', scenarios: 'vod,churn', rows: 'all' },
      false,
    )
    expect(settings.viewers).toEqual([2, 5])
    expect(settings.seeds).toEqual([1, 2])
    expect(settings.scenarios.map(({ name }) => name)).toEqual(['vod', 'churn'])
    expect(settings.rows).toBe(ROWS)
    expect(readSwarmSettings({}, true)).toMatchObject({ viewers: [4], seconds: 30, seeds: [1] })
  })

  it('names the option that it does not take', () => {
    expect(() => readSwarmSettings({ viewers: '2,x' }, false)).toThrow('--viewers does not take x')
    expect(() => readSwarmSettings({ seconds: '5' }, false)).toThrow('--seconds does not take 5')
    expect(() => readSwarmSettings({ rows: 'shoal,' }, false)).toThrow('--rows does not take')
    expect(() => readSwarmSettings({ scenarios: 'constructor' }, false)).toThrow('--scenarios does not take')
  })

  it('has no two rows or scenarios of one name', () => {
    for (const all of [ROWS, SCENARIOS]) {
      expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    }
  })
})
