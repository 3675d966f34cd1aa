import type { InfoHash } from '@shoal/protocol'
import { Redis } from 'ioredis'
import type { Log } from '../adapters/log.js'
import type { Bus, BusListener, KeptCounts, NodeId } from './bus.js'

/** What of Redis is ours. */
const PREFIX = 'shoal:'
const ALL = `${PREFIX}all`

/** Field of a node's counts that holds the number of the last change; no info hash is that short. */
const SERIAL_FIELD = '#'

/** A command without an answer has failed after this, in ms. */
const COMMAND_TIMEOUT_MS = 2000

const CONNECT_TIMEOUT_MS = 3000

/** Longest wait before the next try to connect, in ms. */
const MAX_RETRY_MS = 2000

/** Bytes of published frames without an answer, beyond which no more are published. */
const MAX_UNANSWERED_BYTES = 8 * 1024 * 1024

/** Fields read at a time, and swarms of one node that are read at most. */
const SCAN_COUNT = 1000
const MAX_SWARMS = 1_000_000

/**
 * Redis as the bus: one channel per node and one for all, one hash per node with a lease. Nothing is
 * queued while the connection is down, and nothing is sent twice after it.
 */
export class RedisBus implements Bus {
  private readonly commands: Redis
  private readonly subscriber: Redis
  private readonly id: NodeId
  private readonly leaseMs: number
  private readonly log: Log
  private unansweredBytes = 0
  private saidFailing = false
  private subscribed = false

  constructor(url: string, id: NodeId, leaseMs: number, listener: BusListener, log: Log) {
    this.id = id
    this.leaseMs = leaseMs
    this.log = log
    const options = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepAlive: 10_000,
      // A primary that has become a replica: the name leads to the new one.
      reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
      retryStrategy: (times: number) => Math.random() * Math.min(MAX_RETRY_MS, 100 * 2 ** times),
    }
    this.commands = new Redis(url, { ...options, commandTimeout: COMMAND_TIMEOUT_MS })
    this.subscriber = new Redis(url, { ...options, autoResubscribe: false })
    const inbox = inboxOf(id)
    this.subscriber.on('ready', () => {
      this.subscriber.subscribe(inbox, ALL).then(
        () => {
          this.subscribed = true
          this.tellConnected(listener)
        },
        (error: unknown) => this.failed(error),
      )
    })
    this.subscriber.on('messageBuffer', (channel: Buffer, frame: Buffer) => {
      if (channel.toString() === inbox) listener.inbox(frame)
      else listener.all(frame)
    })
    for (const redis of [this.commands, this.subscriber]) redis.on('error', (error) => this.failed(error))
    this.subscriber.on('close', () => {
      this.subscribed = false
    })
    this.commands.on('ready', () => {
      this.saidFailing = false
      this.tellConnected(listener)
    })
  }

  send(node: NodeId, frame: Uint8Array): boolean {
    return this.publish(inboxOf(node), frame)
  }

  broadcast(frame: Uint8Array): boolean {
    return this.publish(ALL, frame)
  }

  async keep(serial: number, entries: ReadonlyMap<InfoHash, Uint8Array | null>): Promise<number | null> {
    if (this.commands.status !== 'ready') return null
    const key = keyOf(this.id)
    const changes = this.commands.multi().hset(key, SERIAL_FIELD, serial)
    for (const [infoHash, counts] of entries) {
      const field = Buffer.from(infoHash, 'latin1')
      if (counts === null) changes.hdel(key, field)
      else changes.hset(key, field, Buffer.from(counts))
    }
    try {
      const results = await changes.pexpire(key, this.leaseMs).hlen(key).exec()
      const [error, size] = results?.at(-1) ?? [null, null]
      if (error !== null || typeof size !== 'number') return null
      return size - 1
    } catch (error) {
      this.failed(error)
      return null
    }
  }

  async read(node: NodeId): Promise<KeptCounts | null> {
    if (this.commands.status !== 'ready') return null
    const swarms = new Map<string, Uint8Array>()
    let serial: number | null = null
    let cursor = '0'
    try {
      // The number first: what changes while the rest is read is told again, and does no harm twice.
      const kept = await this.commands.hget(keyOf(node), SERIAL_FIELD)
      serial = kept === null ? null : Number(kept)
      do {
        const [next, fields] = await this.commands.hscanBuffer(keyOf(node), cursor, 'COUNT', SCAN_COUNT)
        for (let i = 0; i + 1 < fields.length; i += 2) {
          const [name, value] = [fields[i]?.toString('latin1'), fields[i + 1]]
          if (name !== undefined && value !== undefined && name !== SERIAL_FIELD) swarms.set(name, value)
        }
        cursor = next.toString()
      } while (cursor !== '0' && swarms.size < MAX_SWARMS)
    } catch (error) {
      this.failed(error)
      return null
    }
    return serial === null || !Number.isSafeInteger(serial) ? null : { serial, swarms }
  }

  async clear(): Promise<void> {
    if (this.commands.status !== 'ready') return
    await this.commands.del(keyOf(this.id)).catch((error: unknown) => this.failed(error))
  }

  reconnect(): void {
    // `connect`: the handshake has no answer, and would wait for TCP to give up, minutes from now.
    for (const redis of [this.commands, this.subscriber]) {
      if (redis.status === 'ready' || redis.status === 'connect') redis.disconnect(true)
    }
  }

  async close(): Promise<void> {
    await this.clear()
    this.commands.disconnect()
    this.subscriber.disconnect()
  }

  private tellConnected(listener: BusListener): void {
    if (this.subscribed && this.commands.status === 'ready') listener.connected()
  }

  private publish(channel: string, frame: Uint8Array): boolean {
    const { byteLength } = frame
    if (this.commands.status !== 'ready') return false
    if (this.unansweredBytes + byteLength > MAX_UNANSWERED_BYTES) return false
    this.unansweredBytes += byteLength
    const answered = () => {
      this.unansweredBytes -= byteLength
    }
    this.commands
      .publish(channel, Buffer.from(frame.buffer, frame.byteOffset, byteLength))
      .then(answered, (error: unknown) => {
        answered()
        this.failed(error)
      })
    return true
  }

  /** Says it once for each time that the connection is lost: there may be many errors a second. */
  private failed(error: unknown): void {
    if (this.saidFailing) return
    this.saidFailing = true
    this.log.warn(
      { reason: error instanceof Error ? error.message : String(error) },
      'Redis fails: tried again until it answers',
    )
  }
}

function inboxOf(node: NodeId): string {
  return `${PREFIX}inbox:${node}`
}

function keyOf(node: NodeId): string {
  return `${PREFIX}counts:${node}`
}
