import type { NodeId } from './bus.js'

/** Nodes whose frames are remembered between two sweeps at most. */
const MAX_NODES = 2048

/** Numbers of the frames that came, so that one that comes twice is seen. */
export class SerialGuard {
  private readonly received = new Map<NodeId, number>()

  /**
   * False for a frame that was here, or that a later one has overtaken: Redis keeps their order.
   *
   * @param serial of the sender's frames to whomever: it only grows
   */
  isNew(node: NodeId, serial: number): boolean {
    if (serial <= (this.received.get(node) ?? 0)) return false
    if (!this.received.has(node) && this.received.size >= MAX_NODES) return false
    this.received.set(node, serial)
    return true
  }

  /** Forgets nodes that are gone: one that is started anew has another id. */
  sweep(lives: (node: NodeId) => boolean): void {
    for (const node of this.received.keys()) if (!lives(node)) this.received.delete(node)
  }
}
