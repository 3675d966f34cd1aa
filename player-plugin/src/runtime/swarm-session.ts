import type { CryptoPort, Swarm } from '@shoal/core'
import { contentIdOfUrl, makePeerId, type SwarmId, swarmIdOf } from '@shoal/protocol'
import { createCryptoPort } from '../browser/crypto-port.js'
import { defaultMemoryBytes, isUnmetered } from '../browser/device.js'
import type { Environment } from '../browser/environment.js'
import type { ResolvedOptions } from '../options/resolved-options.js'
import type { ShoalDegradation, ShoalStats, ShoalWarning } from '../stats.js'
import type { Ledger } from './ledger.js'

/** Azureus-style prefix (BEP 20) of this client and its version. */
const PEER_ID_PREFIX = '-SH0100-'

/** What sessions of one Shoal instance share. */
export interface SessionContext {
  readonly environment: Environment
  readonly options: ResolvedOptions
  readonly ledger: Ledger
  /** Whether peers may be used: the `p2p` option, asked once. Never rejects. */
  consent(): Promise<boolean>
  warn(code: ShoalWarning['code'], message: string): void
}

interface Prepared {
  readonly swarmId: SwarmId
  readonly crypto: CryptoPort
}

/**
 * One source's membership in its swarm.
 *
 * The swarm comes and goes (manifest not loaded yet, page in the back/forward cache, viewer on a
 * metered network, fault inside); whoever loads segments looks at `swarm` for each of them and
 * listens to `onLeave`, because a swarm that is left answers no more.
 */
export class SwarmSession {
  readonly #context: SessionContext
  readonly #leaveListeners = new Set<() => void>()
  #prepared: Prepared | null = null
  #obstacle: ShoalDegradation | null = null
  #swarm: Swarm | null = null
  #wanted = false
  #suspended = false
  #closed = false
  #uploads = false
  #hasLinks = false
  readonly #onSwitch: () => void

  /** @param onSwitch called whenever the swarm was joined or left */
  constructor(context: SessionContext, onSwitch: () => void) {
    this.#context = context
    this.#onSwitch = onSwitch
    const { options, environment } = context
    if (options.trackers.length === 0) this.#obstacle = 'no-tracker'
    else if (environment.subtle === undefined) this.#obstacle = 'insecure-context'
    else this.#obstacle = 'p2p-off'
  }

  get swarm(): Swarm | null {
    return this.#swarm
  }

  /** True while segments may come from peers. */
  get usesPeers(): boolean {
    return this.#swarm !== null && this.#hasLinks
  }

  /** Does what takes time and touches nobody: asks for consent, hashes the content id, reads keys. */
  async prepare(manifestUrl: string): Promise<void> {
    const { environment, options, warn } = this.#context
    const { subtle } = environment
    if (subtle === undefined) warn('insecure-context', 'crypto.subtle needs https:// or localhost')
    if (options.trackers.length === 0 || subtle === undefined) return
    try {
      if (!(await this.#context.consent())) return
      const crypto = await createCryptoPort(subtle, options.publicKeys)
      if (crypto === null) {
        this.#obstacle = 'no-signature-support'
        warn('no-signature-support', 'the browser cannot verify signatures of publicKey')
        return
      }
      const contentId = this.#contentIdOf(manifestUrl)
      if (contentId === null) return
      this.#prepared = { swarmId: await swarmIdOf(contentId, crypto.sha256), crypto }
      this.#obstacle = null
      this.#join()
    } catch (error) {
      this.#fail(error)
    }
  }

  #contentIdOf(manifestUrl: string): string | null {
    const { contentId } = this.#context.options
    if (contentId === undefined) return contentIdOfUrl(manifestUrl)
    if (typeof contentId === 'string') return contentId
    try {
      return contentId(manifestUrl)
    } catch (error) {
      this.#obstacle = 'swarm-failed'
      this.#context.warn('content-id-failed', String(error))
      return null
    }
  }

  /** The manifest is here: join the swarm as soon as prepared. */
  open(): void {
    this.#wanted = true
    this.#join()
  }

  /** Leaves the swarm, with Goodbye; `resume` joins again. */
  suspend(): void {
    this.#suspended = true
    this.#leave()
  }

  resume(): void {
    this.#suspended = false
    this.#join()
  }

  /** The network may have become metered, or no longer be: uploads are settled at joining. */
  networkChanged(): void {
    if (this.#swarm === null || this.#mayUpload() === this.#uploads) return
    this.#leave()
    this.#join()
  }

  /** Ends for good; nobody is called back. */
  close(): void {
    this.#closed = true
    this.#leaveListeners.clear()
    this.#leave()
  }

  /** Calls back when the swarm of now is left. The result stops that. */
  onLeave(listener: () => void): () => void {
    this.#leaveListeners.add(listener)
    return () => this.#leaveListeners.delete(listener)
  }

  /** The swarm broke its contract: go on without it. */
  fail(error: unknown): void {
    this.#fail(error)
  }

  get degraded(): ShoalDegradation | null {
    if (this.#suspended) return 'suspended'
    if (this.#swarm !== null) return this.#swarm.snapshot().degraded
    return this.#obstacle ?? 'no-peers'
  }

  get tracker(): ShoalStats['tracker'] {
    if (this.#swarm !== null) return this.#swarm.snapshot().tracker
    return this.#obstacle === null && !this.#suspended ? 'connecting' : 'none'
  }

  #mayUpload(): boolean {
    const { options, environment } = this.#context
    const { enabled } = options.upload
    return enabled === 'unmetered' ? isUnmetered(environment.device) : enabled
  }

  #join(): void {
    if (this.#prepared === null || !this.#wanted || this.#suspended || this.#closed) return
    if (this.#swarm !== null || this.#obstacle !== null) return
    const { environment, options, warn } = this.#context
    const { clock, random, openSocket, device } = environment
    this.#uploads = this.#mayUpload()
    try {
      const links = environment.createLinks(options.network.iceServers, (error) =>
        warn('link-error', error.message),
      )
      this.#swarm = environment.createSwarm(
        {
          swarmId: this.#prepared.swarmId,
          peerId: makePeerId(PEER_ID_PREFIX, random),
          role: 'viewer',
          trackers: options.trackers,
          uploads: this.#uploads,
          maxLinks: options.network.maxPeers,
          memoryBytes: options.memoryBytes ?? defaultMemoryBytes(device),
          uploadBytesPerSecond: options.upload.maxBytesPerSecond,
          integrity: options.publicKeys.length > 0 ? 'signed' : 'open',
        },
        { clock, random, crypto: this.#prepared.crypto, links, openSocket, pieces: null },
      )
      this.#hasLinks = links !== null
      this.#swarm.setStalls(this.#context.ledger.stalls)
      this.#onSwitch()
    } catch (error) {
      this.#fail(error)
    }
  }

  #leave(): void {
    const swarm = this.#swarm
    if (swarm === null) return
    this.#swarm = null
    try {
      this.#context.ledger.addSwarm(swarm.snapshot())
      swarm.close()
    } catch (error) {
      this.#context.warn('swarm-failed', String(error))
    }
    for (const listener of [...this.#leaveListeners]) listener()
    this.#onSwitch()
  }

  #fail(error: unknown): void {
    this.#obstacle = 'swarm-failed'
    this.#context.warn('swarm-failed', String(error))
    this.#leave()
  }
}
