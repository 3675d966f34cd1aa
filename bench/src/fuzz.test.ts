// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { expect, it } from 'vitest'
import { fuzzEngine } from './fuzz.js'

// The short run: `npm run bench -- tracker-fuzz --messages 1000000` is the long one.
it.each(['uws', 'ws'] as const)(
  'a tracker survives hostile clients, and honest ones notice nothing (%s)',
  async (engine) => {
    const seed = Math.floor(Math.random() * 1e6)
    const { faults, messages, refused, honest } = await fuzzEngine(engine, 2000, seed)
    expect(faults, `seed ${seed}`).toEqual([])
    expect(messages).toBeGreaterThanOrEqual(2000)
    expect(refused).toBeGreaterThan(200)
    expect(honest.rounds).toBeGreaterThan(3)
  },
  120_000,
)
