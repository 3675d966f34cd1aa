import { describe, expect, it } from 'vitest'
import { loadUwsServer } from '../adapters/uws-server.js'
import { freePort } from '../testing/free-port.js'
import { RawClient } from '../testing/raw-client.js'
import { createTracker } from './create-tracker.js'

const uwsLoads = typeof (await loadUwsServer()) === 'function'
const options = { host: '127.0.0.1', port: await freePort(), engine: 'uws', sharedPort: true } as const

describe.skipIf(!uwsLoads)('trackers that share a port', () => {
  it('share its clients too', async () => {
    const first = await createTracker(options)
    const second = await createTracker(options)
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(first.url)))
    const sockets = [first, second].map((tracker) => tracker.stats().sockets)
    expect(sockets[0]).toBeGreaterThan(0)
    expect(sockets[1]).toBeGreaterThan(0)
    expect((sockets[0] ?? 0) + (sockets[1] ?? 0)).toBe(clients.length)
    await Promise.all(clients.map((client) => client.close()))
    await Promise.all([first.close(), second.close()])
  })

  it('do so only where all of them want it', async () => {
    const first = await createTracker(options)
    await expect(createTracker({ ...options, sharedPort: false })).rejects.toMatchObject({
      code: 'in-use',
    })
    await first.close()
  })
})

it.skipIf(!uwsLoads)('a free port is shared with nobody', async () => {
  await expect(createTracker({ ...options, port: 0 })).rejects.toThrow('sharedPort: the port to share')
})

it('engine ws says that it cannot', async () => {
  await expect(createTracker({ ...options, engine: 'ws' })).rejects.toThrow('sharedPort: engine ws cannot')
})
