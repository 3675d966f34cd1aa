// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { expect, it } from 'vitest'
import { readSeederValues } from './seeder-options.js'

it('takes counts of viewers and a load, or minutes, and names what it does not take', () => {
  expect(readSeederValues({})).toEqual({ minutes: null, viewers: null, load: null })
  expect(readSeederValues({ viewers: '10,200', load: 'stream' })).toMatchObject({
    viewers: [10, 200],
    load: 'stream',
  })
  expect(readSeederValues({ minutes: '2' })).toMatchObject({ minutes: 2 })
  for (const viewers of ['0', '1.5', '', '10,x', '1001']) {
    expect(readSeederValues({ viewers })).toContain(`--viewers ${viewers} is not`)
  }
  expect(readSeederValues({ load: 'all' })).toContain('--load all is neither')
  expect(readSeederValues({ minutes: '0' })).toContain('--minutes 0 is not')
  expect(readSeederValues({ minutes: '1', load: 'stream' })).toContain('--minutes goes with')
})
