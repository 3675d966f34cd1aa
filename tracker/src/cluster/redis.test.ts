import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningTracker } from '../runtime/create-tracker.js'
import { createTracker } from '../runtime/create-tracker.js'
import { announce, answer, candidates, id, offers, shoal } from '../testing/messages.js'
import type { Message } from '../testing/raw-client.js'
import { RawClient } from '../testing/raw-client.js'
import { RedisServer } from '../testing/redis.js'
import { TcpGate } from '../testing/tcp-gate.js'

/** Short, so that what follows its end need not be waited for. */
const LEASE_SECONDS = 1

/** For everything that takes a lease, on a machine that is busy. */
const PATIENCE = { timeout: 15_000, interval: 50 }

const folder = await mkdtemp(`${tmpdir()}/shoal-cluster-`)
const attestationKey = `${folder}/attestation.pem`
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
await writeFile(attestationKey, privateKey.export({ type: 'pkcs8', format: 'pem' }))

const options = (url: string) => ({
  host: '127.0.0.1',
  port: 0,
  engine: 'ws' as const,
  redis: url,
  redisLeaseSeconds: LEASE_SECONDS,
  announceIntervalSeconds: 60,
  // The tests are a proxy where they want to be; without a header nothing limits them.
  admission: { trustedProxies: ['127.0.0.1'] },
  attestation: { keyFile: attestationKey },
})

interface ScrapeAnswer {
  readonly files: Readonly<Record<string, { readonly complete: number; readonly incomplete: number }>>
}

let redis: RedisServer
let gate: TcpGate
let nodes: RunningTracker[] = []
const clients: RawClient[] = []
let serial = 0

/** A swarm of its own for each test. */
const newHash = () => id(`swarm ${++serial} ${Math.random()}`)

beforeAll(async () => {
  redis = await RedisServer.start()
  gate = await TcpGate.start(redis.port)
  const urls = [redis.url, redis.url, `redis://127.0.0.1:${gate.port}`]
  nodes = await Promise.all(urls.map((url) => createTracker(options(url))))
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(nodes.map((node) => node.close()))
  gate.close()
  await redis.kill()
  await rm(folder, { recursive: true })
})

async function client(node: number, address?: string): Promise<RawClient> {
  const headers = address === undefined ? {} : { 'x-forwarded-for': address }
  const opened = await RawClient.open(nodes[node]?.url ?? '', '/', headers)
  clients.push(opened)
  return opened
}

async function metric(node: RunningTracker | undefined, name: string): Promise<number> {
  const text = await (await fetch(`${node?.url}/metrics`)).text()
  return Number(new RegExp(`^shoal_tracker_cluster_${name} (\\d+)$`, 'm').exec(text)?.[1])
}

/** All nodes are in the cluster and know of each other. */
async function joined(): Promise<void> {
  for (const node of nodes) {
    await expect.poll(() => metric(node, 'joined'), PATIENCE).toBe(1)
    await expect.poll(() => metric(node, 'nodes'), PATIENCE).toBe(nodes.length - 1)
  }
}

const health = async (node: number) => (await (await fetch(`${nodes[node]?.url}/health`)).json()) as Message

/** Waits until a node says that the swarm has so many leechers and seeders. */
async function counted(from: RawClient, hash: string, incomplete: number, complete = 0): Promise<void> {
  const scraped = async () => {
    const reply = (await from.ask({ action: 'scrape', info_hash: hash })) as unknown as ScrapeAnswer
    return reply.files[hash]
  }
  await expect.poll(scraped, PATIENCE).toMatchObject({ complete, incomplete })
}

/** Everything that has come, up to the answer to a question that is asked now. */
async function drained(from: RawClient): Promise<Message[]> {
  const messages: Message[] = []
  from.send({ action: 'scrape', info_hash: id('fence') })
  for (;;) {
    const message = await from.next()
    if (message['action'] === 'scrape') return messages
    messages.push(message)
  }
}

describe('three nodes', () => {
  it('find each other', () => joined())

  it('name a peer of another node by null, and an offer for it gets there', async () => {
    const info_hash = newHash()
    const [a, b] = [await client(0), await client(1)]
    await joined()
    await b.ask(shoal('b', {}, { info_hash }))
    await counted(a, info_hash, 1)
    const reply = await a.ask(shoal('a', { want: 5 }, { info_hash }))
    expect(reply['shoal']).toMatchObject({ introduced: [null] })
    const [entry] = offers('o')['offers'] as [Message]
    a.send(shoal('a', {}, { info_hash, offers: [{ to_peer_id: null, ...entry }] }))
    expect(await b.next()).toMatchObject({ peer_id: id('a'), offer_id: id('o'), shoal: { v: 1 } })
    b.send({ ...answer('b', 'a', 'o'), info_hash })
    expect(await a.next()).toMatchObject({ interval: 60 })
    expect(await a.next()).toMatchObject({ peer_id: id('b'), offer_id: id('o') })
  })

  it('vouch for the keys of a seeder of one node, and tell of disputes everywhere', async () => {
    const info_hash = newHash()
    const [seeder, a, b] = [await client(0), await client(1), await client(1)]
    await joined()
    const key = 'A'.repeat(43)
    await seeder.ask(shoal('s', { role: 'seeder', keys: [key] }, { info_hash }))
    await expect
      .poll(() => a.ask(shoal('a', {}, { info_hash })), PATIENCE)
      .toMatchObject({ shoal: { keys: [key] } })
    // Node 0 has one network of fetchers: whoever is there objects to the list of another.
    const disputed = [{ s: '1:2:', h: key }]
    const c = await client(0)
    await c.ask(shoal('c', { wrong: disputed }, { info_hash }))
    await b.ask(shoal('b', {}, { info_hash }))
    expect(await a.next()).toMatchObject({ shoal: { verdicts: [{ s: '1:2:', disputed: true }] } })
  })

  it('attest what fetchers at different nodes agree on, to those who reported it', async () => {
    const info_hash = newHash()
    const [a, b] = [await client(0, '192.0.2.1'), await client(1, '198.51.100.1')]
    await joined()
    await a.ask(shoal('a', {}, { info_hash }))
    await b.ask(shoal('b', {}, { info_hash }))
    await counted(a, info_hash, 2)
    await counted(b, info_hash, 2)
    const list = { s: '1:7:', h: 'A'.repeat(43) }
    for (const [name, fetcher] of Object.entries({ a, b })) {
      fetcher.send(shoal(name, { lists: [list] }, { info_hash }))
    }
    for (const fetcher of [a, b]) {
      let verdicts: unknown
      do verdicts = ((await fetcher.next())['shoal'] as Message | undefined)?.['verdicts']
      while (verdicts === undefined)
      expect(verdicts).toEqual([{ ...list, sig: expect.any(String) }])
    }
  })

  it('introduce stock clients to each other, and answers find back', async () => {
    const info_hash = newHash()
    const [a, b, c] = [await client(0), await client(1), await client(2)]
    await a.ask(announce('a', { info_hash }))
    await counted(b, info_hash, 1)
    expect(await b.ask(announce('b', { info_hash, left: 0 }))).toMatchObject({ complete: 1, incomplete: 1 })
    await counted(c, info_hash, 1, 1)
    expect(await c.ask(announce('c', { info_hash, ...offers('o1', 'o2', 'o3') }))).toMatchObject({
      complete: 1,
      incomplete: 2,
    })
    const received = [await a.next(), await b.next()]
    expect(received).toMatchObject([{ peer_id: id('c') }, { peer_id: id('c') }])
    const offerIds = received.map((message) => String(message['offer_id']))
    expect(new Set(offerIds).size).toBe(2)
    const [toA = '', toB = ''] = offerIds
    a.send({ ...answer('a', 'c', toA), info_hash })
    const answered = await c.next()
    expect(answered).toMatchObject({
      peer_id: id('a'),
      offer_id: toA,
      answer: { type: 'answer', sdp: `answer to ${toA}` },
    })
    // Once, and only by who has the offer.
    a.send({ ...answer('a', 'c', toA), info_hash })
    a.send({ ...answer('a', 'c', toB), info_hash })
    b.send({ ...answer('b', 'c', toB), info_hash })
    expect(await c.next()).toMatchObject({ peer_id: id('b'), offer_id: toB })
    await Promise.all([a, b, c].map((each) => each.expectNothingElse()))
  })

  it('pass candidates between Shoal peers, both ways and bounded', async () => {
    const info_hash = newHash()
    const [a, b] = [await client(0), await client(1)]
    await a.ask(shoal('a', {}, { info_hash }))
    await counted(b, info_hash, 1)
    await b.ask(shoal('b', {}, { info_hash, ...offers('o') }))
    expect(await a.next()).toMatchObject({ peer_id: id('b'), shoal: { cost: 0 } })
    // Before the answer, as trickled candidates do.
    a.send({ ...candidates('a', 'b', 'o', 2), info_hash })
    expect(await b.next()).toMatchObject({ peer_id: id('a'), shoal: { candidates: [{}, {}] } })
    a.send({ ...answer('a', 'b', 'o'), info_hash })
    expect(await b.next()).toMatchObject({ peer_id: id('a'), answer: {}, shoal: { cost: 0 } })
    b.send({ ...candidates('b', 'a', 'o', 20), info_hash })
    expect(await a.next()).toMatchObject({ peer_id: id('b'), shoal: { candidates: { length: 20 } } })
    b.send({ ...candidates('b', 'a', 'o', 1), info_hash })
    b.send({ ...candidates('b', 'c', 'o', 1), info_hash })
    await Promise.all([a, b].map((each) => each.expectNothingElse()))
  })

  it('forget a peer that has come back at another node while its old socket is half open', async () => {
    const info_hash = newHash()
    const [old, witness, again] = [await client(0), await client(0), await client(1)]
    await old.ask(announce('a', { info_hash }))
    await witness.ask(announce('w', { info_hash }))
    await counted(again, info_hash, 2)
    // Whole seconds are what nodes tell each other.
    await new Promise((resolve) => setTimeout(resolve, 2100))
    await again.ask(announce('a', { info_hash, ...offers('o1', 'o2') }))
    expect(await witness.next()).toMatchObject({ peer_id: id('a') })
    await counted(await client(0), info_hash, 2)
    await counted(await client(1), info_hash, 2)
    // Who is heard of later than the other joined stays.
    await witness.ask(announce('w', { info_hash, ...offers('o3') }))
    expect(await again.next()).toMatchObject({ peer_id: id('w'), offer_id: id('o3') })
    await Promise.all([old, witness, again].map((each) => each.expectNothingElse()))
  })

  it('make one swarm of peers that have neighbours enough at their own node', async () => {
    const info_hash = newHash()
    const peers: { readonly name: string; readonly node: number; readonly client: RawClient }[] = []
    for (let i = 0; i < 12; i++) {
      const node = i % 3
      const peer = { name: `p${i}`, node, client: await client(node) }
      await peer.client.ask(announce(peer.name, { info_hash }))
      peers.push(peer)
    }
    for (const { client: each } of peers.slice(0, 3)) await counted(each, info_hash, 12)
    for (const { name, client: each } of peers) {
      each.send(announce(name, { info_hash, ...offers(...[1, 2, 3, 4, 5].map((n) => `${name}-${n}`)) }))
    }
    const groups = new Map(peers.map(({ name }) => [id(name), new Set([id(name)])]))
    const offered: string[] = []
    await expect
      .poll(async () => {
        for (const { name, client: each } of peers) {
          for (const message of await drained(each)) {
            if (!('offer' in message)) continue
            offered.push(String(message['offer_id']))
            join(groups, id(name), String(message['peer_id']))
          }
        }
        return new Set(groups.values()).size
      }, PATIENCE)
      .toBe(1)
    expect(new Set(offered).size).toBe(offered.length)
  })
})

describe('reports of polluters', () => {
  it('count wherever they are made, and a ban holds at every node', async () => {
    const info_hash = newHash()
    const polluter = await client(0, '192.0.2.1')
    await polluter.ask(shoal('p', {}, { info_hash }))
    for (const [i, address] of ['198.51.100.1', '203.0.113.1', '2001:db8::1'].entries()) {
      const witness = await client(i, address)
      await counted(witness, info_hash, 1 + i)
      // Twice, which is one word.
      for (let n = 0; n < 2; n++) await witness.ask(shoal(`w${i}`, { accuse: [id('p')] }, { info_hash }))
      for (let n = 0; n < 3; n++) await counted(await client(n), info_hash, i < 2 ? 2 + i : 3)
    }
    expect(await polluter.ask(shoal('p', {}, { info_hash }))).toMatchObject({ code: 'banned', info_hash })
    for (const node of [1, 2]) {
      const again = await client(node, '192.0.2.1')
      const asked = () => again.ask(shoal('new name', {}, { info_hash }))
      await expect.poll(asked, PATIENCE).toMatchObject({ code: 'banned', info_hash })
      expect(await again.ask(shoal('new name', {}, { info_hash: newHash() }))).toHaveProperty('interval')
    }
  })
})

describe('a node that is killed', () => {
  it('leaves no ghosts after its lease', async () => {
    const info_hash = newHash()
    const program = fileURLToPath(new URL('../../bin/shoal-tracker.js', import.meta.url))
    const args = ['--host', '127.0.0.1', '--port', '0', '--engine', 'ws', '--json', '--log-level', 'silent']
    const lease = ['--redis', redis.url, '--redis-lease-seconds', `${LEASE_SECONDS}`]
    const child = spawn(process.execPath, [program, ...args, ...lease], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const here = await client(0)
      const there = await RawClient.open((JSON.parse(line) as { url: string }).url)
      await there.ask(announce('doomed', { info_hash }))
      await counted(here, info_hash, 1)
      await killed(child)
      await counted(here, info_hash, 0)
      await joined()
      expect(await here.ask(announce('a', { info_hash, ...offers('o') }))).toMatchObject({ incomplete: 1 })
    } finally {
      child.kill('SIGKILL')
    }
  })
})

describe('Redis', () => {
  /** Two clients at one node find each other; at different nodes they do once all is well again. */
  async function outage(begin: () => void | Promise<void>, end: () => void | Promise<void>): Promise<void> {
    const info_hash = newHash()
    const [a, b, far] = [await client(0), await client(0), await client(1)]
    await a.ask(shoal('a', {}, { info_hash }))
    await counted(far, info_hash, 1)
    await begin()
    for (const node of [0, 1]) {
      const problems = { redis: expect.any(String) }
      await expect.poll(() => health(node), PATIENCE).toMatchObject({ status: 'degraded', problems })
    }
    expect(await metric(nodes[0], 'joined')).toBe(0)
    await b.ask(shoal('b', {}, { info_hash, ...offers('o1', 'o2') }))
    expect(await a.next()).toMatchObject({ peer_id: id('b') })
    await far.ask(shoal('far', {}, { info_hash, ...offers('lost') }))
    await end()
    await joined()
    expect(await health(0)).toEqual({ status: 'ok' })
    await counted(far, info_hash, 3)
    await counted(a, info_hash, 3)
    const name = `late${serial}`
    await far.ask(shoal('far', {}, { info_hash, ...offers(`${name}1`, `${name}2`) }))
    const received = [await a.next(), await b.next()]
    expect(received.map((message) => message['offer_id']).sort()).toEqual([id(`${name}1`), id(`${name}2`)])
    await Promise.all([a, b, far].map((each) => each.expectNothingElse()))
  }

  it('killed and started anew, empty', async () => {
    await outage(
      () => redis.kill(),
      () => redis.resurrect(),
    )
  })

  it('paused', async () => {
    await outage(
      () => redis.pause(),
      () => redis.resume(),
    )
  })

  it('cut off from one node: the others go on without it, and it comes back', async () => {
    const info_hash = newHash()
    const [a, far] = [await client(0), await client(2)]
    await a.ask(announce('a', { info_hash }))
    await far.ask(announce('far', { info_hash }))
    await counted(a, info_hash, 2)
    gate.shut()
    await counted(a, info_hash, 1)
    await counted(far, info_hash, 1)
    expect(await health(0)).toEqual({ status: 'ok' })
    expect(await health(2)).toMatchObject({ status: 'degraded' })
    gate.reopen()
    await counted(a, info_hash, 2)
    await counted(far, info_hash, 2)
  })
})

/** Two peers that know each other: their groups become one. */
function join(groups: Map<string, Set<string>>, a: string, b: string): void {
  const [one, other] = [groups.get(a), groups.get(b)]
  if (one === undefined || other === undefined) throw new Error('a stranger')
  for (const member of other) {
    one.add(member)
    groups.set(member, one)
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
