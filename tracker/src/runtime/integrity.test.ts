import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { base64urlOf, isPublicKey, readTrackerMessage } from '@shoal/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import type { Running } from '../testing/engines.js'
import { describeEngines } from '../testing/engines.js'
import { announce, HASH, id, shoal } from '../testing/messages.js'
import type { Message } from '../testing/raw-client.js'
import { RawClient } from '../testing/raw-client.js'
import { hex, hmacToken, SECRET } from '../testing/tokens.js'
import { createTracker } from './create-tracker.js'

const folder = await mkdtemp(join(tmpdir(), 'shoal-integrity-'))
const secretFile = join(folder, 'secrets')
await writeFile(secretFile, SECRET)
afterAll(() => rm(folder, { recursive: true }))

/** The tests are the proxy: the header says who the client is. */
const PROXIED = { exempt: [], trustedProxies: ['127.0.0.1'] }
const KEY = base64urlOf(new Uint8Array(32).fill(1))
const OTHER = base64urlOf(new Uint8Array(32).fill(2))
const digest = (n: number) => base64urlOf(new Uint8Array(32).fill(n))
const inSwarm = (name: string) => ({ info_hash: id(name) })
const soon = () => Math.floor(Date.now() / 1000) + 60

const keysIn = (reply: Message) => (reply['shoal'] as { keys?: string[] } | undefined)?.keys ?? []

async function from(at: Running, address: string, path = '/') {
  return RawClient.open(at.url, path, { 'x-forwarded-for': address })
}

/** Closes them all after the test's part. */
async function using<T extends readonly RawClient[]>(
  clients: readonly [...T],
  use: (...clients: T) => Promise<void>,
) {
  await use(...clients)
  await Promise.all(clients.map((client) => client.close()))
}

describeEngines('keys without any configuration', {}, (at) => {
  it('of a seeder on this machine are vouched for; those of viewers and of other machines are not', async () => {
    const swarm = inSwarm('local')
    await using([await RawClient.open(at.url), await RawClient.open(at.url)], async (seeder, viewer) => {
      expect(keysIn(await viewer.ask(shoal('v', { keys: [OTHER] }, swarm)))).toEqual([])
      expect(keysIn(await seeder.ask(shoal('s', { role: 'seeder', keys: [KEY] }, swarm)))).toEqual([KEY])
      expect(keysIn(await viewer.ask(shoal('v', {}, swarm)))).toEqual([KEY])
      expect(await viewer.ask(announce('stock', swarm))).not.toHaveProperty('shoal')
    })
    await using([await RawClient.open(at.url, '/', { 'x-forwarded-for': '192.0.2.1' })], async (stranger) => {
      const reply = await stranger.ask(shoal('x', { role: 'seeder', keys: [OTHER] }, inSwarm('strange')))
      expect(keysIn(reply)).toEqual([])
    })
  })

  it.each([
    ['keys', { keys: ['AAAA'] }],
    ['keys', { keys: [KEY, KEY, KEY, KEY, KEY] }],
    ['lists', { lists: [{ s: '1:2', h: digest(1) }] }],
    ['lists', { lists: Array(33).fill({ s: '1:2:', h: digest(1) }) }],
    ['wrong', { wrong: [{ s: '1:2:', h: 'x' }] }],
    ['wrong', { wrong: 'all' }],
  ])('out of form: %s', async (key, extension) => {
    await using([await RawClient.open(at.url)], async (client) => {
      const reply = await client.ask(shoal('v', extension))
      expect(reply).toMatchObject({ code: 'bad-message' })
      expect(reply['failure reason']).toContain(`shoal.${key}: `)
    })
  })
})

describeEngines('keys behind a proxy that does not say so', {}, (at) => {
  it('are not vouched for any more once a page of another host has come in', async () => {
    const swarm = inSwarm('hidden')
    const seed = () => RawClient.open(at.url)
    await using([await seed(), await seed()], async (seeder, other) => {
      expect(keysIn(await seeder.ask(shoal('s', { role: 'seeder', keys: [KEY] }, swarm)))).toEqual([KEY])
      await using([await RawClient.open(at.url, '/', { origin: 'http://localhost:8080' })], async (page) => {
        expect(keysIn(await page.ask(shoal('v', {}, swarm)))).toEqual([KEY])
      })
      await using([await RawClient.open(at.url, '/', { origin: 'https://site.example' })], async (page) => {
        expect(keysIn(await page.ask(shoal('w', {}, swarm)))).toEqual([])
      })
      expect(keysIn(await other.ask(shoal('s2', { role: 'seeder', keys: [KEY] }, swarm)))).toEqual([])
    })
  })
})

const listed = { admission: PROXIED, seeders: { keys: [KEY] } }
describeEngines('keys by configuration', listed, (at) => {
  it('are vouched for when a seeder announces them; no others, not even from this machine', async () => {
    const swarm = inSwarm('listed')
    await using([await from(at, '192.0.2.1'), await RawClient.open(at.url)], async (seeder, local) => {
      const keys = [OTHER, KEY]
      expect(keysIn(await seeder.ask(shoal('s', { role: 'seeder', keys }, swarm)))).toEqual([KEY])
      const there = await local.ask(shoal('l', { role: 'seeder', keys: [OTHER] }, inSwarm('local')))
      expect(keysIn(there)).toEqual([])
    })
  })
})

const withTokens = { admission: { ...PROXIED, tokens: { hmacSecretFile: secretFile } } }
describeEngines('keys by join token', withTokens, (at) => {
  const token = (claims: object) =>
    hmacToken({ exp: soon(), info_hash: hex(HASH), peer_id: hex(id('s')), ...claims })

  it.each([
    ['the claim of an own seeder', { seeder: true }, [KEY]],
    ['no such claim', {}, []],
    ['a claim that it is none', { seeder: false }, []],
  ])('%s', async (_, claims, keys) => {
    await using([await from(at, '192.0.2.1')], async (seeder) => {
      const said = shoal('s', { role: 'seeder', keys: [KEY], token: token(claims) }, { event: 'stopped' })
      // A peer that stops joins nothing; then it comes.
      await seeder.ask(said)
      const reply = await seeder.ask({ ...said, event: 'started' })
      expect(keysIn(reply)).toEqual(keys)
    })
    await at.tracker?.close()
    at.tracker = await createTracker({
      host: '127.0.0.1',
      port: 0,
      engine: at.tracker?.engine,
      ...withTokens,
    })
  })
})

/** Asks, and hands out the reply and the verdicts that came with it. */
async function report(client: RawClient, message: unknown) {
  client.send(message)
  const verdicts: unknown[] = []
  for (;;) {
    const read = readTrackerMessage(JSON.stringify(await client.next()))
    if (read.type === 'verdicts') verdicts.push(...read.verdicts)
    else if (read.type === 'reply') return { reply: read, verdicts }
    else throw new Error(`unexpected ${read.type}`)
  }
}

describeEngines('lists', { admission: PROXIED }, (at) => {
  it('on which two networks agree are attested, to those who reported them', async () => {
    const swarm = inSwarm('agreed')
    const list = { s: '7:1:', h: digest(1) }
    const said = (peer: string) => shoal(peer, { lists: [list] }, swarm)
    const clients = [
      await from(at, '192.0.2.1'),
      await from(at, '192.0.2.99'),
      await from(at, '198.51.100.1'),
      await from(at, '203.0.113.1'),
    ] as const
    await using(clients, async (a, neighbour, b, bystander) => {
      await report(bystander, shoal('o', {}, swarm))
      expect((await report(a, said('a'))).verdicts).toEqual([])
      expect((await report(neighbour, said('n'))).verdicts).toEqual([])
      const { verdicts, reply } = await report(b, said('b'))
      const [verdict] = verdicts
      expect(verdicts).toEqual([{ ...list, sig: expect.any(String) }])
      expect(isPublicKey(reply.attestor)).toBe(true)
      expect(await a.next()).toMatchObject({ shoal: { verdicts: [verdict] } })
      expect(await neighbour.next()).toMatchObject({ shoal: { verdicts: [verdict] } })
      // Whoever comes later gets it too, and who has not loaded it does not.
      expect((await report(bystander, shoal('o', {}, swarm))).verdicts).toEqual([])
      expect((await report(bystander, said('o'))).verdicts).toEqual([verdict])
    })
  })

  it('that contradict each other are told to all viewers of the swarm, to Shoal ones alone', async () => {
    const swarm = inSwarm('disputed')
    const s = '7:2:'
    const clients = [
      await from(at, '192.0.2.1'),
      await from(at, '198.51.100.1'),
      await from(at, '203.0.113.1'),
      await from(at, '203.0.113.2'),
    ] as const
    await using(clients, async (a, b, viewer, stock) => {
      await report(viewer, shoal('v', {}, swarm))
      await stock.ask(announce('stock', swarm))
      await report(a, shoal('a', { lists: [{ s, h: digest(1) }] }, swarm))
      await report(b, shoal('b', { lists: [{ s, h: digest(2) }] }, swarm))
      const told = { action: 'announce', ...swarm, shoal: { v: 1, verdicts: [{ s, disputed: true }] } }
      expect(await viewer.next()).toEqual(told)
      expect(await a.next()).toEqual(told)
      await stock.expectNothingElse()
    })
    const metrics = await (await fetch(`${at.url}/metrics`)).text()
    expect(metrics).toMatch(/^shoal_tracker_integrity_verdicts_total\{kind="disputed"\} [1-9]/m)
    expect(metrics).toMatch(/^shoal_tracker_compared_segments [1-9]/m)
  })

  it('that three networks found wrong name their digest, and get their reporter banned; two do not', async () => {
    const swarm = inSwarm('wrong')
    const wrong = [{ s: '7:3:', h: digest(3) }]
    const nets = ['192.0.2.', '198.51.100.', '203.0.113.']
    const liar = await from(at, '10.1.1.1')
    await report(liar, shoal('liar', { lists: wrong }, swarm))
    const checkers = await Promise.all(nets.map((net) => from(at, `${net}7`)))
    for (const [n, checker] of checkers.entries()) {
      if (n === 2) expect((await report(liar, shoal('liar', {}, swarm))).reply.interval).toBeGreaterThan(0)
      await report(checker, shoal(`c${n}`, { wrong }, swarm))
    }
    // The dispute comes within a second or two; wait for what names the digest.
    let named = false
    while (!named) named = JSON.stringify(await checkers[0]?.next()).includes(`"wrong":["${digest(3)}"]`)
    let code: unknown
    do code = (await liar.ask(shoal('liar', {}, swarm)))['code']
    while (code === undefined)
    expect(code).toBe('banned')
    await Promise.all([liar, ...checkers].map((client) => client.close()))
  })

  it('slander of one network, with many peers, bans nobody and disputes little', async () => {
    const swarm = inSwarm('slander')
    const lists = [{ s: '7:4:', h: digest(4) }]
    const honest = await from(at, '10.1.1.2')
    await report(honest, shoal('honest', { lists }, swarm))
    const slanderers = await Promise.all([1, 2, 3, 4, 5].map((n) => from(at, `192.0.2.${n}`)))
    for (const [n, slanderer] of slanderers.entries()) {
      await report(slanderer, shoal(`s${n}`, { wrong: lists, accuse: [id('honest')] }, swarm))
    }
    expect((await report(honest, shoal('honest', {}, swarm))).reply.interval).toBeGreaterThan(0)
    await Promise.all([honest, ...slanderers].map((client) => client.close()))
  })
})

describe('attestation', () => {
  it('of peers of one network takes a setting', async () => {
    const at = { attestation: { sameNetwork: true, networks: 3 } }
    const tracker = await createTracker({ host: '127.0.0.1', port: 0, ...at })
    const lists = [{ s: '7:1:', h: digest(1) }]
    const clients = [1, 2, 3].map(() => RawClient.open(tracker.url))
    const [a, b, c] = await Promise.all(clients)
    if (!a || !b || !c) throw new Error('no clients')
    expect((await report(a, shoal('a', { lists }))).verdicts).toEqual([])
    expect((await report(b, shoal('b', { lists }))).verdicts).toEqual([])
    expect((await report(c, shoal('c', { lists }))).verdicts).toHaveLength(1)
    await Promise.all([a, b, c].map((client) => client.close()))
    await tracker.close()
  })

  it('can be off', async () => {
    const tracker = await createTracker({ host: '127.0.0.1', port: 0, attestation: { enabled: false } })
    const client = await RawClient.open(tracker.url)
    expect((await report(client, shoal('a'))).reply.attestor).toBeNull()
    await client.close()
    await tracker.close()
  })

  it('wants a key that it can use', async () => {
    const keyFile = join(folder, 'no-key')
    await writeFile(keyFile, 'no key')
    await expect(createTracker({ host: '127.0.0.1', port: 0, attestation: { keyFile } })).rejects.toThrow(
      `attestation.keyFile: ${keyFile}: holds no private key in PEM form (PKCS #8)`,
    )
  })
})
