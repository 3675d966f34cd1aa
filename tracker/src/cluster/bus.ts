import type { InfoHash } from '@shoal/protocol'

/** What passes between the nodes of a cluster and where their counts are kept: Redis, seen from the pure side. */
export interface Bus {
  /** Sends to one node's inbox; false where it cannot go out now. It may be lost all the same. The frame is not kept. */
  send(node: NodeId, frame: Uint8Array): boolean
  /** Sends to all nodes, this one too. */
  broadcast(frame: Uint8Array): boolean
  /**
   * Keeps changes of this node's counts, and renews its lease.
   *
   * @param serial number of the last change
   * @param entries null takes one away
   * @returns how many are kept now; null where it could not be done
   */
  keep(serial: number, entries: ReadonlyMap<InfoHash, Uint8Array | null>): Promise<number | null>
  /** What another node keeps; null where it keeps nothing, or where it could not be read. */
  read(node: NodeId): Promise<KeptCounts | null>
  /** Takes away all that this node keeps. */
  clear(): Promise<void>
  /** Gives up connections that seem to be dead, and opens new ones. */
  reconnect(): void
  /** Takes this node's counts away and ends the connections. */
  close(): Promise<void>
}

export interface KeptCounts {
  readonly serial: number
  /** Not yet looked at: they come from outside. */
  readonly swarms: ReadonlyMap<string, Uint8Array>
}

/** Takes what comes from the bus. */
export interface BusListener {
  /** The bus works, again or for the first time. */
  connected(): void
  inbox(frame: Uint8Array): void
  all(frame: Uint8Array): void
}

/** Names one run of one tracker: 16 hexadecimal digits, drawn at the start. */
export type NodeId = string & { readonly __brand: 'NodeId' }
