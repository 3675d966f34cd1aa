import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../adapters/server-port.js'
import { describeEngines } from '../testing/engines.js'
import { announce } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'
import { createTracker } from './create-tracker.js'
import { drainSockets } from './drain.js'

describeEngines('a tracker that drains', {}, (at) => {
  it('sends its clients away with 1012, takes no new ones, and can be closed then', async () => {
    const tracker = await createTracker({ host: '127.0.0.1', port: 0, engine: at.tracker?.engine })
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(tracker.url)))
    for (const client of clients) await client.ask(announce('a'))
    const closed = clients.map(({ ws }) => once(ws, 'close'))
    const drained = tracker.drain()
    await expect(RawClient.open(tracker.url)).rejects.toThrow()
    for (const [code, reason] of await Promise.all(closed)) {
      expect([code, String(reason)]).toEqual([1012, 'service restart'])
    }
    await drained
    expect(tracker.stats()).toMatchObject({ sockets: 0, swarms: 0 })
    await tracker.close()
  })
})

describe('drainSockets', () => {
  const deaf = (onClose: () => void): Connection => ({ send: () => true, close: onClose })

  it('spreads many sockets over the time, and does not wait for ever for one that stays', async () => {
    const closedAt: number[] = []
    const start = performance.now()
    const all = Array.from({ length: 300 }, () => deaf(() => closedAt.push(performance.now() - start)))
    await drainSockets(() => [...all], 400, Math.random)
    expect(closedAt).toHaveLength(300)
    const first = closedAt.filter((at) => at < 40).length
    expect(first).toBeLessThan(100)
    expect(closedAt.at(-1)).toBeGreaterThan(200)
  })

  it('is at once over without any', async () => {
    const start = performance.now()
    await drainSockets(() => [], 60_000, Math.random)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
