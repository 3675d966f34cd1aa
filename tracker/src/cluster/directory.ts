import type { InfoHash } from '@shoal/protocol'
import type { NodeId } from './bus.js'
import type { NodeCounts } from './counts.js'
import { changeTotal, isNobody, NO_PEERS } from './counts.js'

/** Nodes of a cluster at most. */
const MAX_NODES = 1024

/** Swarms that are known of all other nodes together at most, about 200 bytes each. */
const MAX_ENTRIES = 2_000_000

interface NodeView {
  readonly swarms: Map<InfoHash, NodeCounts>
  heardAt: number
  /** Number of the last change that is in `swarms`; null until they have been read. */
  serial: number | null
  reading: boolean
}

/** A swarm at other nodes. */
interface SwarmView {
  readonly nodes: Map<NodeId, NodeCounts>
  total: NodeCounts
}

/** What the other nodes have, as they tell it. */
export class Directory {
  private readonly leaseMs: number
  private readonly byNode = new Map<NodeId, NodeView>()
  private readonly byHash = new Map<InfoHash, SwarmView>()
  private entries = 0

  /** @param leaseMs silence after which a node counts as gone */
  constructor(leaseMs: number) {
    this.leaseMs = leaseMs
  }

  /** Nodes that live, without this one. */
  get nodeCount(): number {
    return this.byNode.size
  }

  has(node: NodeId): boolean {
    return this.byNode.has(node)
  }

  /** Peers elsewhere. */
  total(infoHash: InfoHash): NodeCounts {
    return this.byHash.get(infoHash)?.total ?? NO_PEERS
  }

  /** The nodes that have the swarm. */
  nodesOf(infoHash: InfoHash): ReadonlyMap<NodeId, NodeCounts> | undefined {
    return this.byHash.get(infoHash)?.nodes
  }

  /**
   * A node has said that it lives and how far its counts are.
   *
   * @returns true when its counts are to be read: it is new, or something that it said was lost
   */
  beat(node: NodeId, serial: number, now: number): boolean {
    const view = this.viewOf(node, now)
    if (view === null) return false
    view.heardAt = now
    return this.wantsReading(view, serial)
  }

  /** A node has told changes. @returns as `beat` */
  change(
    node: NodeId,
    serial: number,
    entries: readonly (readonly [InfoHash, NodeCounts])[],
    now: number,
  ): boolean {
    const view = this.viewOf(node, now)
    if (view === null) return false
    view.heardAt = now
    if (view.serial === null || serial !== view.serial + 1) return this.wantsReading(view, serial)
    view.serial = serial
    for (const [infoHash, counts] of entries) this.set(node, view, infoHash, counts)
    return false
  }

  /** All that a node keeps has been read, as of `serial`; null when it could not be read. */
  read(node: NodeId, serial: number, swarms: ReadonlyMap<InfoHash, NodeCounts> | null): void {
    const view = this.byNode.get(node)
    if (view === undefined) return
    view.reading = false
    if (swarms === null) return
    for (const infoHash of [...view.swarms.keys()]) {
      if (!swarms.has(infoHash)) this.set(node, view, infoHash, NO_PEERS)
    }
    for (const [infoHash, counts] of swarms) this.set(node, view, infoHash, counts)
    view.serial = serial
  }

  /** Forgets a node that said goodbye. */
  remove(node: NodeId): void {
    const view = this.byNode.get(node)
    if (view === undefined) return
    for (const infoHash of [...view.swarms.keys()]) this.set(node, view, infoHash, NO_PEERS)
    this.byNode.delete(node)
  }

  /** Forgets nodes that were silent for a lease. */
  expire(now: number): void {
    for (const [node, { heardAt }] of this.byNode) if (heardAt + this.leaseMs <= now) this.remove(node)
  }

  private viewOf(node: NodeId, now: number): NodeView | null {
    const known = this.byNode.get(node)
    if (known !== undefined) return known
    if (this.byNode.size >= MAX_NODES) return null
    const view: NodeView = { swarms: new Map(), heardAt: now, serial: null, reading: false }
    this.byNode.set(node, view)
    return view
  }

  private wantsReading(view: NodeView, serial: number): boolean {
    if (view.reading || (view.serial !== null && serial <= view.serial)) return false
    view.reading = true
    return true
  }

  private set(node: NodeId, view: NodeView, infoHash: InfoHash, counts: NodeCounts): void {
    const before = view.swarms.get(infoHash)
    let swarm = this.byHash.get(infoHash)
    if (isNobody(counts) && counts.downloaded === 0) {
      if (before === undefined || swarm === undefined) return
      view.swarms.delete(infoHash)
      this.entries--
      swarm.nodes.delete(node)
      swarm.total = changeTotal(swarm.total, before, NO_PEERS)
      if (swarm.nodes.size === 0) this.byHash.delete(infoHash)
      return
    }
    if (before === undefined) {
      if (this.entries >= MAX_ENTRIES) return
      this.entries++
    }
    view.swarms.set(infoHash, counts)
    if (swarm === undefined) {
      swarm = { nodes: new Map(), total: NO_PEERS }
      this.byHash.set(infoHash, swarm)
    }
    swarm.nodes.set(node, counts)
    swarm.total = changeTotal(swarm.total, before ?? NO_PEERS, counts)
  }
}
