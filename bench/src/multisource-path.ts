import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { PeerLinkEvents, PeerLinkFactory } from '@shoal/core'
import type { Signal } from '@shoal/protocol'
import type { RelayCommand, RelayReading, RelayReply } from './multisource-relay.js'

/** Built code, from the sources' folder and from the built one alike. */
const RELAY_MODULE = new URL('../dist/multisource-relay.js', import.meta.url)

/** Address that links gather candidates on, and the relay's. */
export const PATH_HOST = '127.0.0.1'

/** The emulated path between all ends of this machine; see `multisource-relay.ts`. */
export class EmulatedPath {
  readonly #worker = new Worker(RELAY_MODULE)
  /** By port: its mirror, asked for once. */
  readonly #mirrors = new Map<number, { readonly mirror: Promise<number>; told(mirror: number): void }>()
  #onReading: (reading: RelayReading) => void = () => undefined
  /** Rejects where the relay fails. */
  readonly failed: Promise<never>

  constructor() {
    this.failed = new Promise((_, reject) => this.#worker.once('error', reject))
    // Whoever waits for an answer is told.
    this.failed.catch(() => undefined)
    this.#worker.on('message', (reply: RelayReply) => {
      if (reply.type === 'reading') return this.#onReading(reply)
      this.#mirrors.get(reply.port)?.told(reply.mirror)
    })
  }

  /** @param share chance of a packet's loss on every path, 0 to 1 */
  setLoss(share: number): void {
    this.#tell({ type: 'loss', share })
  }

  /** @param ms one way, from now on */
  setDelay(ms: number): void {
    this.#tell({ type: 'delay', ms })
  }

  read(): Promise<RelayReading> {
    const reading = new Promise<RelayReading>((resolve) => {
      this.#onReading = resolve
    })
    this.#tell({ type: 'read' })
    return Promise.race([reading, this.failed])
  }

  /** The signal as the other side must hear it: a candidate's port is its mirror's; null for an address elsewhere. */
  async through(signal: Signal): Promise<Signal | null> {
    if (signal.kind === 'description') return signal
    const words = signal.candidate.split(' ')
    const [transport, , host, port] = words.slice(2)
    if (transport?.toUpperCase() !== 'UDP' || host !== PATH_HOST) return null
    words[5] = String(await this.#mirrorOf(Number(port)))
    return { ...signal, candidate: words.join(' ') }
  }

  /** Links whose packets all take this path. */
  links(factory: PeerLinkFactory): PeerLinkFactory {
    return { create: (role, events) => factory.create(role, this.#rewriting(events)) }
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #rewriting(events: PeerLinkEvents): PeerLinkEvents {
    return {
      onSignal: async (signal) => {
        const rewritten = await this.through(signal)
        if (rewritten !== null) events.onSignal(rewritten)
      },
      onOpen: () => events.onOpen(),
      onMessage: (channel, bytes) => events.onMessage(channel, bytes),
      onDrain: () => events.onDrain(),
      onClose: (reason) => events.onClose(reason),
    }
  }

  #mirrorOf(port: number): Promise<number> {
    let known = this.#mirrors.get(port)
    if (known === undefined) {
      let told: (mirror: number) => void = () => undefined
      const mirror = new Promise<number>((resolve) => {
        told = resolve
      })
      known = { mirror, told }
      this.#mirrors.set(port, known)
      this.#tell({ type: 'mirror', port })
    }
    return Promise.race([known.mirror, this.failed])
  }

  #tell(command: RelayCommand): void {
    this.#worker.postMessage(command)
  }
}

/**
 * Packets that found a socket's buffer full, over the UDP ports of this machine; null where the system does
 * not tell. Linux: the last column of /proc/net/udp.
 */
export function kernelDrops(): number | null {
  if (process.platform !== 'linux') return null
  const [, ...rows] = readFileSync('/proc/net/udp', 'utf8').trim().split('\n')
  return rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/).at(-1)), 0)
}
