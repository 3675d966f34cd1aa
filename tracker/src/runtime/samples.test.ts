import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readSettings } from './options.js'

const sample = (name: string) => readFile(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8')

describe('samples for operators', () => {
  it('the configuration is one', async () => {
    const settings = readSettings(JSON.parse(await sample('tracker.json')))
    expect(settings.admission.trustedProxies).toEqual(['127.0.0.1'])
  })

  it('proxies pass on to where it listens, and the unit waits for longer than the drain', async () => {
    const { host, port, drainSeconds } = readSettings(JSON.parse(await sample('tracker.json')))
    for (const proxy of ['nginx.conf', 'Caddyfile']) expect(await sample(proxy)).toContain(`${host}:${port}`)
    const patience = /^TimeoutStopSec=(\d+)$/m.exec(await sample('shoal-tracker.service'))?.[1]
    expect(Number(patience)).toBeGreaterThan(drainSeconds + 5)
  })
})
