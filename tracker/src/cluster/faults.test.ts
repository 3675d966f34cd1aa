import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Crowd } from '../testing/crowd.js'
import { id } from '../testing/messages.js'
import { RedisServer } from '../testing/redis.js'
import { scrapeAt } from '../testing/stock-client.js'
import { TcpGate } from '../testing/tcp-gate.js'

/** In which the swarm has to be one again, from the moment that the fault is over. */
const ANNOUNCE_INTERVAL_MS = 10_000

/** Longer than the lease, and than Redis's clients take to notice. */
const FAULT_MS = 3000
const LONG_PAUSE_MS = 30_000

/** By then what was under way when a fault began has come. */
const NOTICED_MS = 2000

const LEASE_SECONDS = 2
const PER_NODE = 4

/** For what has to come before a fault is made. */
const PATIENCE = { timeout: 20_000, interval: 50 }

const PROGRAM = fileURLToPath(new URL('../../bin/shoal-tracker.js', import.meta.url))

/** A tracker in a process of its own. */
interface NodeProcess {
  readonly child: ChildProcess
  readonly url: string
}

async function startNode(redis: string): Promise<NodeProcess> {
  const args = ['--host', '127.0.0.1', '--port', '0', '--json', '--log-level', 'silent']
  const cluster = ['--redis', redis, '--redis-lease-seconds', `${LEASE_SECONDS}`]
  const child = spawn(process.execPath, [PROGRAM, ...args, ...cluster], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, url: (JSON.parse(line) as { url: string }).url }
}

async function killNode({ child }: NodeProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

let redis: RedisServer
/** Between Redis and the last node. */
let gate: TcpGate
let nodes: NodeProcess[] = []

beforeAll(async () => {
  redis = await RedisServer.start()
  gate = await TcpGate.start(redis.port)
  nodes = await Promise.all([redis.url, redis.url, `redis://127.0.0.1:${gate.port}`].map(startNode))
})

afterAll(async () => {
  await Promise.all(nodes.map(killNode))
  gate.close()
  await redis.kill()
})

let serial = 0

/** Clients at all nodes that have become one swarm. */
async function settledCrowd(): Promise<{ readonly crowd: Crowd; readonly infoHash: string }> {
  const infoHash = id(`fault ${++serial}`)
  const crowd = new Crowd(infoHash, ANNOUNCE_INTERVAL_MS, () => nodes.map(({ url }) => url))
  for (let i = 0; i < PER_NODE; i++) for (const { url } of nodes) await crowd.join(url)
  await expect.poll(() => crowd.parts, PATIENCE).toBe(1)
  await counted(infoHash, crowd.size)
  return { crowd, infoHash }
}

/** Waits until all nodes that live count so many. */
async function counted(infoHash: string, incomplete: number): Promise<void> {
  const hex = Buffer.from(infoHash, 'latin1').toString('hex')
  for (const { url } of nodes) {
    await expect.poll(() => scrapeAt(url, hex), PATIENCE).toMatchObject({ incomplete })
  }
}

/** The fault is over: by introductions from now on, all are one swarm within an interval, and nothing came twice. */
async function heals({ crowd, infoHash }: Awaited<ReturnType<typeof settledCrowd>>): Promise<void> {
  crowd.mark()
  const limit = { timeout: ANNOUNCE_INTERVAL_MS, interval: 20 }
  await expect.poll(() => crowd.parts, limit).toBe(1)
  await counted(infoHash, crowd.size)
  expect(crowd.delivered.size).toBeGreaterThan(crowd.size)
  expect(crowd.answered.size).toBeGreaterThan(0)
  expect(crowd.repeated).toEqual([])
  await crowd.close()
}

describe('clients are one swarm again within an announce interval, and no offer comes twice', () => {
  it('when a node is killed with SIGKILL', async () => {
    const settled = await settledCrowd()
    const [killed] = nodes.splice(0, 1)
    if (killed !== undefined) await killNode(killed)
    await heals(settled)
    nodes.unshift(await startNode(redis.url))
  }, 60_000)

  it('when Redis is killed with SIGKILL and comes back empty', async () => {
    const settled = await settledCrowd()
    await redis.kill()
    await sleep(FAULT_MS)
    await redis.resurrect()
    await heals(settled)
  }, 60_000)

  it('when a node and Redis lose every packet between them', async () => {
    const settled = await settledCrowd()
    gate.freeze()
    await sleep(FAULT_MS)
    gate.thaw()
    await heals(settled)
  }, 60_000)

  it('when Redis is paused for 30 s', async () => {
    const settled = await settledCrowd()
    redis.pause()
    await sleep(NOTICED_MS)
    settled.crowd.mark()
    await sleep(LONG_PAUSE_MS - NOTICED_MS)
    // Each node has gone on by itself meanwhile.
    expect(settled.crowd.parts).toBe(nodes.length)
    redis.resume()
    await heals(settled)
  }, 90_000)
})
