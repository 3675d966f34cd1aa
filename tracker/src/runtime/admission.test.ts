import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Client from 'bittorrent-tracker'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Running } from '../testing/engines.js'
import { describeEngines } from '../testing/engines.js'
import { announce, HASH, id, offers, shoal } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'
import { hex, hmacToken, SECRET } from '../testing/tokens.js'
import { MAX_FEEDS_OF_A_NETWORK } from './feed.js'

const folder = await mkdtemp(join(tmpdir(), 'shoal-admission-'))
const secretFile = join(folder, 'secrets')
const rotatingFile = join(folder, 'rotating')
const denyFile = join(folder, 'deny')
await writeFile(secretFile, SECRET)
await writeFile(rotatingFile, SECRET)
await writeFile(denyFile, '# nothing yet\n')
afterAll(() => rm(folder, { recursive: true }))

/** The tests are the proxy: the header says who the client is. */
const PROXIED = { exempt: [], trustedProxies: ['127.0.0.1'] }

const soon = () => Math.floor(Date.now() / 1000) + 60

function from(at: Running, address: string | string[], path = '/') {
  return RawClient.open(at.url, path, { 'x-forwarded-for': address })
}

describeEngines('origins', { admission: { origins: ['https://a.example', 'https://*.b.example'] } }, (at) => {
  it.each(['https://a.example', 'https://x.b.example', 'https://X.B.example'])(
    '%s is let in',
    async (origin) => {
      const client = await RawClient.open(at.url, '/', { origin })
      await client.close()
    },
  )
  it.each(['https://b.example', 'http://a.example', 'https://a.example.evil', 'null'])(
    '%s is refused',
    async (origin) => {
      await expect(RawClient.open(at.url, '/', { origin })).rejects.toThrow('403')
    },
  )
  it('programs send none', async () => {
    const client = await RawClient.open(at.url)
    await client.close()
  })
})

const perAddress = { connections: 2, announcesPerSecond: 0.01, offersPerSecond: 0.1, burstSeconds: 300 }

describeEngines('limits of an address', { admission: { ...PROXIED, perAddress } }, (at) => {
  let net = 0
  let who = ''
  beforeEach(() => {
    who = `192.0.2.${++net}`
  })

  it('connections, whatever the client writes into the header', async () => {
    const clients = [await from(at, who), await from(at, `1.2.3.4, ${who}`)]
    await expect(from(at, ['5.6.7.8', who])).rejects.toThrow('429')
    const other = await from(at, '198.51.100.1')
    await clients[0]?.close()
    await expect.poll(() => at.stats().sockets).toBe(2)
    clients.push(await from(at, who), other)
    await Promise.all(clients.map((client) => client.close()))
  })

  it('messages: refused with a code, and others are served', async () => {
    const info_hash = id(`rate ${who}`)
    const [client, other] = [await from(at, who), await from(at, `198.51.100.${net + 1}`)]
    for (let i = 0; i < 3; i++)
      expect(await client.ask(announce('a', { info_hash }))).toHaveProperty('interval')
    expect(await client.ask(announce('a', { info_hash }))).toEqual({
      'failure reason': expect.stringContaining('slow down'),
      code: 'rate-limited',
      action: 'announce',
      info_hash,
    })
    // It stays in its swarm.
    expect(await other.ask(announce('b', { info_hash }))).toMatchObject({ incomplete: 2 })
    await Promise.all([client.close(), other.close()])
  })

  it('offers', async () => {
    const client = await from(at, who)
    const many = offers(...Array.from({ length: 10 }, (_, i) => `o${i}`))
    const answers = [1, 2, 3].map(() => client.ask(announce('a', many)))
    for (const answer of answers) expect(await answer).toHaveProperty('interval')
    const again = await from(at, who)
    expect(await again.ask(announce('a', many))).toMatchObject({ code: 'rate-limited' })
    await Promise.all([client.close(), again.close()])
  })
})

describeEngines(
  'bytes of an address',
  { admission: { ...PROXIED, perAddress: { bytesPerSecond: 1, burstSeconds: 300 } } },
  (at) => {
    it('are bounded before anything is read', async () => {
      const client = await from(at, '192.0.2.1')
      expect(await client.ask(announce('a'))).toHaveProperty('interval')
      expect(await client.ask('x'.repeat(1000))).toEqual({
        'failure reason': expect.stringContaining('slow down'),
        code: 'rate-limited',
        action: 'announce',
      })
      const info_hash = id('\u0000\u00ff"\\')
      expect(await client.ask(announce('a', { info_hash, offers: 'x'.repeat(1000) }))).toMatchObject({
        code: 'rate-limited',
        info_hash,
      })
      await client.close()
    })
  },
)

describeEngines('join tokens', { admission: { tokens: { hmacSecretFile: secretFile } } }, (at) => {
  const info_hash = HASH

  it('are wanted in the announce or in the URL, and for joining only', async () => {
    const token = hmacToken({ info_hash: hex(HASH), exp: soon() })
    const client = await RawClient.open(at.url)
    expect(await client.ask(shoal('a'))).toMatchObject({ code: 'token-required', info_hash })
    expect(await client.ask(shoal('a', { token: `${token}x` }))).toMatchObject({ code: 'token-invalid' })
    expect(await client.ask(shoal('a', { token }))).toMatchObject({ incomplete: 1 })
    expect(await client.ask(shoal('a'))).toMatchObject({ incomplete: 1 })
    expect(await client.ask(shoal('b'))).toMatchObject({ code: 'token-required' })
    expect(await client.ask(shoal('a', { token }, { info_hash: id('other') }))).toMatchObject({
      code: 'token-invalid',
    })
    const stock = await RawClient.open(at.url, `/x?a=b&token=${token}`)
    expect(await stock.ask({ action: 'scrape', info_hash })).toHaveProperty('files')
    expect(await stock.ask(announce('s'))).toMatchObject({ incomplete: 1 + 1 })
    const expired = hmacToken({ info_hash: hex(HASH), exp: soon() - 3600 })
    const late = await RawClient.open(at.url, `/?token=${expired}`)
    expect(await late.ask(announce('l'))).toMatchObject({ code: 'token-expired' })
    expect(await late.ask({ action: 'scrape', info_hash })).toMatchObject({ action: 'scrape', info_hash })
    await Promise.all([client.close(), stock.close(), late.close()])
  })

  it('are for an origin', async () => {
    const token = hmacToken({ info_hash: hex(HASH), exp: soon(), origin: 'https://a.example' })
    const [here, there] = [
      await RawClient.open(at.url, `/?token=${token}`, { origin: 'https://a.example' }),
      await RawClient.open(at.url, `/?token=${token}`, { origin: 'https://b.example' }),
    ]
    expect(await here.ask(announce('a'))).toHaveProperty('interval')
    expect(await there.ask(announce('b'))).toMatchObject({ code: 'token-invalid' })
    await Promise.all([here.close(), there.close()])
  })

  it('work for the stock client, which survives a refusal', async () => {
    const infoHash = hex(id('stock'))
    const announceUrl = at.url.replace('http', 'ws')
    const stock = (query: string) =>
      new Client({ infoHash, peerId: hex(id('p')), announce: [`${announceUrl}/t${query}`], port: 6881 })
    const [refused, welcome] = [stock(''), stock(`?token=${hmacToken({ info_hash: infoHash, exp: soon() })}`)]
    const warning = new Promise<Error>((resolve) => refused.on('warning', resolve))
    const update = new Promise((resolve) => welcome.once('update', resolve))
    refused.start({ numwant: 0 })
    welcome.start({ numwant: 0 })
    expect((await warning).message).toContain('token')
    expect(await update).toMatchObject({ incomplete: 1 })
    expect(at.stats().sockets).toBe(2)
    await Promise.all([refused, welcome].map((client) => new Promise<void>((done) => client.destroy(done))))
  })
})

describeEngines(
  'a change of secrets',
  { reloadSeconds: 0.1, admission: { tokens: { hmacSecretFile: rotatingFile } } },
  (at) => {
    it('lets in who was refused, on the same socket', async () => {
      // Who has been let in once stays: each announce is another peer's.
      let serial = 0
      await writeFile(rotatingFile, SECRET)
      const next = `the next one: ${SECRET}`
      const token = hmacToken({ info_hash: hex(HASH), exp: soon() }, next)
      const client = await RawClient.open(at.url, `/?token=${token}`)
      await expect
        .poll(() => client.ask(announce(`p${serial++}`)), { timeout: 10_000 })
        .toMatchObject({ code: 'token-invalid' })
      await writeFile(rotatingFile, `${SECRET}\n${next}\n`)
      await expect
        .poll(() => client.ask(announce(`p${serial++}`)), { timeout: 10_000 })
        .toHaveProperty('interval')
      await client.close()
    })
  },
)

describeEngines('the deny list', { reloadSeconds: 0.1, admission: { denyFile } }, (at) => {
  it('is read anew when it changes, and its swarms are left', async () => {
    const client = await RawClient.open(at.url)
    expect(await client.ask(announce('a'))).toHaveProperty('interval')
    await writeFile(denyFile, `${hex(HASH)} # by order\n`)
    await expect
      .poll(() => client.ask(announce('a')), { timeout: 10_000 })
      .toMatchObject({
        code: 'swarm-not-allowed',
        info_hash: HASH,
      })
    expect(at.stats()).toMatchObject({ swarms: 0 })
    await writeFile(denyFile, 'rubbish\n')
    await expect
      .poll(async () => (await fetch(`${at.url}/health`)).json(), { timeout: 10_000 })
      .toMatchObject({ status: 'degraded', problems: { 'admission.denyFile': expect.any(String) } })
    expect(await client.ask(announce('a'))).toMatchObject({ code: 'swarm-not-allowed' })
    await writeFile(denyFile, '')
    await expect.poll(() => client.ask(announce('a')), { timeout: 10_000 }).toHaveProperty('interval')
    expect(await (await fetch(`${at.url}/health`)).json()).toEqual({ status: 'ok' })
    await client.close()
  })
})

describeEngines('dashboards', { admission: PROXIED }, (at) => {
  it('one network cannot take them all', async () => {
    const theirs = Array.from({ length: MAX_FEEDS_OF_A_NETWORK }, (_, i) =>
      from(at, `192.0.2.${i}`, '/dashboard/feed'),
    )
    const feeds = await Promise.all(theirs)
    await expect(from(at, '192.0.2.99', '/dashboard/feed')).rejects.toThrow('503')
    feeds.push(await from(at, '198.51.100.1', '/dashboard/feed'))
    await feeds.shift()?.close()
    feeds.push(await from(at, '192.0.2.99', '/dashboard/feed'))
    await Promise.all(feeds.map((feed) => feed.close()))
  })
})

describeEngines('reports of polluters', { admission: PROXIED }, (at) => {
  /** Peers that accuse `victim`, each from an address of its own. */
  async function accuse(info_hash: string, victim: string, addresses: readonly string[]): Promise<void> {
    for (const [i, address] of addresses.entries()) {
      const client = await from(at, address)
      await client.ask(shoal(`w${i}`, { accuse: [id(victim), id('nobody')] }, { info_hash }))
      await client.close()
    }
  }

  it('of three networks keep an address out of that swarm', async () => {
    const [info_hash, other] = [id('polluted'), id('other swarm')]
    const polluter = await from(at, '192.0.2.1')
    await polluter.ask(shoal('p', {}, { info_hash }))
    await accuse(info_hash, 'p', ['198.51.100.1', '203.0.113.1', '2001:db8::1'])
    expect(at.stats()).toMatchObject({ swarms: 0 })
    const again = await from(at, '192.0.2.1')
    expect(await again.ask(shoal('new name', {}, { info_hash }))).toMatchObject({ code: 'banned', info_hash })
    expect(await again.ask(shoal('p', {}, { info_hash: other }))).toHaveProperty('interval')
    expect(await (await fetch(`${at.url}/metrics`)).text()).toMatch(/^shoal_tracker_bans_total 1$/m)
    await Promise.all([polluter.close(), again.close()])
  })

  it('of one network, or of the own one, do nothing', async () => {
    const info_hash = id('slandered')
    const honest = await from(at, '192.0.2.77')
    await honest.ask(shoal('h', {}, { info_hash }))
    const liars = Array.from({ length: 9 }, (_, i) => `198.51.100.${i}`)
    await accuse(info_hash, 'h', [...liars, '192.0.2.78', '2001:db8:1:1::1', '2001:db8:1:2::1'])
    expect(await honest.ask(shoal('h', {}, { info_hash }))).toHaveProperty('interval')
    await honest.close()
  })
})

describe('closing codes', () => {
  it('a client that is refused again and again is ended', async () => {
    const { createTracker } = await import('./create-tracker.js')
    const tracker = await createTracker({
      host: '127.0.0.1',
      port: 0,
      admission: { exempt: [], perAddress: { announcesPerSecond: 0.01, burstSeconds: 100 } },
    })
    const client = await RawClient.open(tracker.url)
    const closed = once(client.ws, 'close')
    for (let i = 0; i < 500; i++) client.send(announce('a'))
    expect((await closed)[0]).toBe(1008)
    // Once: what came after that was not looked at.
    const metrics = await (await fetch(`${tracker.url}/metrics`)).text()
    expect(metrics).toMatch(/^shoal_tracker_sockets_dropped_total\{cause="abusive"\} 1$/m)
    await tracker.close()
  })
})
