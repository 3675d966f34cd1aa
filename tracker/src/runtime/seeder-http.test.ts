import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeEngines } from '../testing/engines.js'
import { announce, shoal } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'

const server = createServer((_, response) => response.end('#EXTM3U\n'))
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/main.m3u8`
})
afterAll(() => server.close())

describeEngines('HTTP addresses of seeders', { seederHttp: { allowPrivateProbes: true } }, (at) => {
  it('are told to viewers when they answer, until the seeder has left', async () => {
    const [seeder, viewer] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await seeder.ask(shoal('s', { role: 'seeder', http: url }))
    await viewer.ask(shoal('liar', { http: 'https://other.example/main.m3u8' }))
    await expect
      .poll(() => viewer.ask(shoal('v')), { timeout: 10_000 })
      .toMatchObject({ shoal: { http: [url] } })
    expect(await viewer.ask(announce('stock'))).not.toHaveProperty('shoal')
    await seeder.close()
    await expect.poll(() => viewer.ask(shoal('v')), { timeout: 10_000 }).not.toHaveProperty('shoal.http')
    await viewer.close()
  })
})

describeEngines('HTTP addresses inside the network', {}, (at) => {
  it('are not told', async () => {
    const client = await RawClient.open(at.url)
    await client.ask(shoal('s', { role: 'seeder', http: url }))
    const metric = async (name: string) => {
      const text = await (await fetch(`${at.url}/metrics`)).text()
      return new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
    }
    expect(await metric('shoal_tracker_seeder_urls')).toBe('1')
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(await metric('shoal_tracker_seeder_urls_healthy')).toBe('0')
    expect(await client.ask(shoal('v'))).not.toHaveProperty('shoal.http')
    await client.close()
  })
})

describeEngines('addresses to dial', { seederDial: { ranges: ['198.51.100.0/24'] } }, (at) => {
  const dial = (host: string) => `shoal-dial://${host}:40000/${'ab'.repeat(32)}`

  it('are told to viewers where they are the own or configured, until the seeder has left', async () => {
    const [seeder, viewer] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await seeder.ask(shoal('own', { role: 'seeder', dial: dial('127.0.0.1') }))
    await seeder.ask(shoal('range', { role: 'seeder', dial: dial('198.51.100.7') }))
    await seeder.ask(shoal('liar', { role: 'seeder', dial: dial('203.0.113.7') }))
    await viewer.ask(shoal('viewer', { dial: dial('198.51.100.8') }))
    const dials = [dial('127.0.0.1'), dial('198.51.100.7')]
    const twice = [await viewer.ask(shoal('v')), await viewer.ask(shoal('v'))]
    expect(twice).toContainEqual(expect.objectContaining({ shoal: expect.objectContaining({ dial: dials }) }))
    dials.reverse()
    expect(twice).toContainEqual(expect.objectContaining({ shoal: expect.objectContaining({ dial: dials }) }))
    expect(await viewer.ask(shoal('v', { dial: 'shoal-dial://x' }))).toMatchObject({
      code: 'bad-message',
      'failure reason': expect.stringContaining('shoal.dial'),
    })
    await seeder.close()
    await expect.poll(() => viewer.ask(shoal('v')), { timeout: 10_000 }).not.toHaveProperty('shoal.dial')
    await viewer.close()
  })
})
