import { afterEach, describe, expect, it } from 'vitest'
import { ListenError } from '../adapters/server-port.js'
import type { RunningTracker } from './create-tracker.js'
import { createTracker } from './create-tracker.js'
import { OptionsError } from './options.js'

const running: RunningTracker[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((tracker) => tracker.close()))
})

async function create(options: Parameters<typeof createTracker>[0]): Promise<RunningTracker> {
  const tracker = await createTracker({ host: '127.0.0.1', port: 0, ...options })
  running.push(tracker)
  return tracker
}

describe('createTracker', () => {
  it('gives a URL that works for any address', async () => {
    const tracker = await create({ host: '0.0.0.0', engine: 'ws' })
    expect(tracker.url).toBe(`http://127.0.0.1:${tracker.port}`)
    expect((await fetch(`${tracker.url}/health`)).status).toBe(200)
  })

  it.each(['uws', 'ws'] as const)('frees its port when closed, once or twice (%s)', async (engine) => {
    const { port, close } = await create({ engine })
    await expect(create({ engine, port })).rejects.toBeInstanceOf(ListenError)
    await Promise.all([close(), close()])
    expect((await create({ engine, port })).port).toBe(port)
  })

  it('names a wrong option', async () => {
    await expect(create({ announceIntervalSeconds: 0 })).rejects.toThrow(OptionsError)
    await expect(create({ announceIntervalSeconds: 0 })).rejects.toThrow(/^announceIntervalSeconds: /)
    await expect(create({ limits: { maxSwarms: 1.5 } })).rejects.toThrow(/^limits.maxSwarms: /)
  })

  it('logs where it listens', async () => {
    const lines: [object, string][] = []
    const info = (fields: object, message: string) => lines.push([fields, message])
    const { url } = await create({ engine: 'ws', log: { info, warn: info, error: info } })
    expect(lines).toEqual([[expect.objectContaining({ url, engine: 'ws' }), 'tracker listens']])
  })
})
