import { expect, test } from './support/fixtures.js'
import { startSeeder } from './support/services.js'

const LOCAL = ['--direct-port', '0', '--direct-host', '127.0.0.1']

function dialOf(ready: Readonly<Record<string, string>>): string {
  const { dial } = ready
  if (dial === undefined) throw new Error('the seeder has printed no address')
  return dial
}

test('a viewer reaches a seeder by its address, with no tracker at all, and plays from it', async ({
  stack,
}) => {
  const seeder = await startSeeder(stack.vod, null, LOCAL)
  try {
    const viewer = await stack.open({
      src: stack.vod,
      shoal: { network: { seeders: [dialOf(seeder.ready)] } },
    })
    const state = await viewer.playedTo(8, 40_000)
    expect(state.stats).toMatchObject({ tracker: 'none', degraded: null, seeders: 1 })
    expect(state.stats?.seederBytes).toBeGreaterThan(state.stats?.httpBytes ?? 0)
    expect([state.stalls, state.fatal, viewer.errors]).toEqual([[], [], []])
  } finally {
    seeder.kill()
  }
})

test('a viewer comes back to the seeder that the tracker told of, though the tracker is gone', async ({
  stack,
}) => {
  await stack.startSeeder(stack.vod, LOCAL)
  const viewer = await stack.open({ src: stack.vod })
  await viewer.playedTo(3, 40_000)
  await expect.poll(async () => (await viewer.state()).stats?.seeders, { timeout: 20_000 }).toBe(1)
  stack.tracker.kill()
  await viewer.page.reload()
  await viewer.start()
  const state = await viewer.playedTo(6, 40_000)
  expect(state.stats?.tracker).not.toBe('connected')
  expect(state.stats?.seederBytes).toBeGreaterThan(0)
})

test('with another fingerprint there is no connection, and everything comes by HTTP', async ({ stack }) => {
  const seeder = await startSeeder(stack.vod, null, LOCAL)
  try {
    const wrong = dialOf(seeder.ready).replace(/[0-9a-f]{64}$/, 'ab'.repeat(32))
    const viewer = await stack.open({ src: stack.vod, shoal: { network: { seeders: [wrong] } } })
    const state = await viewer.playedTo(6, 40_000)
    expect(state.stats).toMatchObject({ seederBytes: 0, seeders: 0, degraded: 'no-peers' })
    expect(state.stats?.httpBytes).toBeGreaterThan(0)
    expect([state.stalls, state.fatal]).toEqual([[], []])
  } finally {
    seeder.kill()
  }
})
