import type { InfoHash, Millis } from '@shoal/protocol'
import { isBinaryString20 } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { Integrity } from '../integrity/integrity.js'
import type { Tracker } from '../signalling/tracker.js'
import type { Bus, BusListener, NodeId } from './bus.js'
import { Cluster } from './cluster.js'
import type { NodeCounts } from './counts.js'
import { countsOf, isNobody, packCounts, readCounts } from './counts.js'
import { Directory } from './directory.js'
import { FrameWriter, readItems } from './frames.js'
import type { Item } from './items.js'
import { packNews, readNews } from './news.js'
import { unpacked } from './packer.js'
import { Published } from './published.js'
import { SerialGuard } from './serial-guard.js'

/** Beats in one lease: two may be lost. */
const BEATS_PER_LEASE = 4

/** Time between looks at what is to be told to the others, in ms. */
const TELL_MS = 50

/**
 * Time between two flushes at least, in ms: an idle node sends within the turn of the event loop, a
 * busy one larger frames. A frame costs its sender, Redis and its receiver several times an item.
 */
const FLUSH_INTERVAL_MS = 10

/** For `/metrics`, `/health` and the log. */
export interface ClusterReport {
  readonly state: 'joined' | 'alone'
  /** Other nodes that live. */
  readonly nodes: number
  readonly framesSent: number
  readonly bytesSent: number
  readonly framesReceived: number
  readonly bytesReceived: number
  /** Frames that could not go out. */
  readonly dropped: number
  /** Frames and items out of form, or that came twice. */
  readonly rejected: number
}

export interface ClusterNodeOptions {
  readonly id: NodeId
  readonly leaseMs: number
  readonly now: () => Millis
  readonly random: () => number
  readonly log: Log
  /** Another node has banned an address from a swarm. */
  readonly banned: (infoHash: InfoHash, address: string) => void
}

/**
 * This tracker as a node of a cluster: says that it lives and what it has, hears what others say, and
 * carries items between its `Cluster` and theirs.
 *
 * It counts as joined while it hears its own beats: both connections to Redis work then, and Redis
 * itself. Otherwise it matches locally, and tries again for ever.
 */
export class ClusterNode implements BusListener {
  readonly cluster: Cluster
  private readonly options: ClusterNodeOptions
  private readonly bus: Bus
  private readonly directory: Directory
  private readonly published: Published
  /** What waits for each node. */
  private readonly outgoing = new Map<NodeId, FrameWriter>()
  private flushing = false
  private readonly serials = new SerialGuard()
  private readonly timers: NodeJS.Timeout[] = []
  private readonly tally = {
    framesSent: 0,
    bytesSent: 0,
    framesReceived: 0,
    bytesReceived: 0,
    dropped: 0,
    rejected: 0,
  }
  private readonly integrity: Integrity
  private joined = false
  private heardSelfAt = Number.NEGATIVE_INFINITY
  private reconnectedAt: number
  private serial = 0
  private frameSerial = 0
  private flushedAt = Number.NEGATIVE_INFINITY
  private telling = false
  private closed = false

  /** @param connect given the listener, hands out the bus */
  constructor(tracker: Tracker, connect: (listener: BusListener) => Bus, options: ClusterNodeOptions) {
    this.options = options
    this.directory = new Directory(options.leaseMs)
    this.published = new Published((infoHash) => countsOf(tracker.registry.swarm(infoHash)))
    this.reconnectedAt = options.now()
    this.cluster = new Cluster(tracker.relay, tracker.accusations, this.directory, tracker.relay.offers, {
      joined: () => this.joined,
      send: (node, item) => this.send(node, item),
      touched: (infoHash) => this.published.touch(infoHash),
      banned: (infoHash, address) =>
        this.broadcast(packNews({ type: 'ban', node: this.options.id, infoHash, address })),
      reported: (infoHash, from, reports, now) => tracker.reportedElsewhere(infoHash, from, reports, now),
      random: options.random,
    })
    this.integrity = tracker.integrity
    this.integrity.bus = {
      vouched: (infoHash, keys) =>
        this.broadcast(packNews({ type: 'vouched', node: options.id, infoHash, keys })),
      disputed: (infoHash, verdict) =>
        this.broadcast(packNews({ type: 'disputed', node: options.id, infoHash, verdict })),
      reported: (infoHash, from, reports) => this.cluster.reported(infoHash, from, reports),
    }
    for (const { infoHash } of tracker.registry.swarms()) this.published.touch(infoHash)
    this.bus = connect(this)
    this.timers.push(setInterval(() => this.beat(), options.leaseMs / BEATS_PER_LEASE))
    this.timers.push(setInterval(() => void this.tell(), TELL_MS))
  }

  report(): ClusterReport {
    return { state: this.joined ? 'joined' : 'alone', nodes: this.directory.nodeCount, ...this.tally }
  }

  connected(): void {
    if (!this.closed) this.beat()
  }

  inbox(bytes: Uint8Array): void {
    this.count(bytes)
    const frame = readItems(bytes)
    if (frame === null || !this.serials.isNew(frame.from, frame.serial)) {
      this.tally.rejected++
      return
    }
    this.tally.rejected += frame.rejected
    this.cluster.take(frame, this.options.now())
  }

  all(bytes: Uint8Array): void {
    this.count(bytes)
    const news = readNews(bytes)
    if (news === null) {
      this.tally.rejected++
      return
    }
    const now = this.options.now()
    if (news.node === this.options.id) {
      if (news.type === 'beat') this.heardSelf(now)
    } else if (news.type === 'vouched' || news.type === 'disputed') {
      this.integrity.toldByNode(news, now)
    } else if (news.type === 'bye') {
      this.forget(news.node)
    } else if (news.type === 'ban') {
      this.options.banned(news.infoHash, news.address)
    } else if (news.type === 'beat') {
      if (this.directory.beat(news.node, news.serial, now)) void this.read(news.node)
      if (news.ask) this.say(false)
    } else if (this.directory.change(news.node, news.serial, news.entries, now)) {
      void this.read(news.node)
    }
  }

  /** Says goodbye, so that the others need not wait for the lease to end. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.joined = false
    for (const timer of this.timers) clearInterval(timer)
    this.broadcast(packNews({ type: 'bye', node: this.options.id }))
    await this.bus.close()
  }

  private beat(): void {
    const now = this.options.now()
    this.directory.expire(now)
    this.serials.sweep((node) => this.directory.has(node))
    for (const node of this.outgoing.keys()) if (!this.directory.has(node)) this.outgoing.delete(node)
    const silence = now - this.heardSelfAt
    if (this.joined && silence > this.options.leaseMs / 2) {
      this.joined = false
      this.options.log.warn({}, 'Redis is away: peers are matched within this node only')
    }
    if (silence > this.options.leaseMs && now - this.reconnectedAt > this.options.leaseMs) {
      this.reconnectedAt = now
      this.bus.reconnect()
    }
    // In this order: whoever hears of this node for the first time reads what it keeps.
    void this.renew()
    this.say(!this.joined)
  }

  private say(ask: boolean): void {
    this.broadcast(packNews({ type: 'beat', node: this.options.id, serial: this.serial, ask }))
  }

  private heardSelf(now: Millis): void {
    this.heardSelfAt = now
    if (this.joined || this.closed) return
    this.joined = true
    this.options.log.info({ nodes: this.directory.nodeCount }, 'joined the cluster')
  }

  /** Renews the lease; tells everything again where Redis has lost it. */
  private async renew(): Promise<void> {
    const expected = this.published.size
    const kept = await this.bus.keep(this.serial, new Map())
    if (kept === null || kept === expected || this.telling || expected !== this.published.size) return
    await this.bus.clear()
    this.published.touchAll()
  }

  /** Keeps and tells what has changed: first the one, so that whoever reads it has what was told. */
  private async tell(): Promise<void> {
    if (this.telling || this.closed || !this.joined || !this.published.hasChanges) return
    const entries = this.published.take(this.options.now())
    if (entries.length === 0) return
    this.telling = true
    const serial = ++this.serial
    const kept = await this.bus.keep(serial, new Map(entries.map(([hash, counts]) => [hash, packed(counts)])))
    this.telling = false
    if (kept === null) {
      for (const [infoHash] of entries) this.published.untold(infoHash)
      return
    }
    this.broadcast(packNews({ type: 'counts', node: this.options.id, serial, entries }))
  }

  private async read(node: NodeId): Promise<void> {
    const kept = await this.bus.read(node)
    if (this.closed) return
    const swarms = new Map<InfoHash, NodeCounts>()
    for (const [hash, bytes] of kept?.swarms ?? []) {
      const counts = readCounts(unpacked(bytes))
      if (counts === null || !isBinaryString20(hash)) this.tally.rejected++
      else swarms.set(hash as InfoHash, counts)
    }
    this.directory.read(node, kept?.serial ?? 0, kept === null ? null : swarms)
  }

  private forget(node: NodeId): void {
    this.directory.remove(node)
    this.outgoing.delete(node)
  }

  private send(node: NodeId, item: Item): void {
    let frame = this.outgoing.get(node)
    if (frame === undefined) {
      frame = new FrameWriter(this.options.id)
      this.outgoing.set(node, frame)
    }
    if (!frame.add(item)) {
      this.tally.dropped++
      return
    }
    if (frame.isFull) this.sendFrame(node, frame)
    else this.schedule()
  }

  private schedule(): void {
    if (this.flushing) return
    this.flushing = true
    const wait = this.flushedAt + FLUSH_INTERVAL_MS - this.options.now()
    if (wait <= 0) setImmediate(() => this.flush())
    else setTimeout(() => this.flush(), wait)
  }

  private flush(): void {
    this.flushing = false
    this.flushedAt = this.options.now()
    for (const [node, frame] of this.outgoing) if (!frame.isEmpty) this.sendFrame(node, frame)
  }

  private sendFrame(node: NodeId, items: FrameWriter): void {
    const frame = items.take(++this.frameSerial)
    this.sent(frame, this.bus.send(node, frame))
  }

  private broadcast(frame: Uint8Array): void {
    this.sent(frame, this.bus.broadcast(frame))
  }

  private sent(frame: Uint8Array, ok: boolean): void {
    if (!ok) {
      this.tally.dropped++
      return
    }
    this.tally.framesSent++
    this.tally.bytesSent += frame.byteLength
  }

  private count(frame: Uint8Array): void {
    this.tally.framesReceived++
    this.tally.bytesReceived += frame.byteLength
  }
}

function packed(counts: NodeCounts): Uint8Array | null {
  return isNobody(counts) ? null : packCounts(counts)
}
