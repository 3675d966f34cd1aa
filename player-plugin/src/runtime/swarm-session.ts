import type { CryptoPort, DialMemory, Swarm } from '@shoal/core'
import { contentIdOfUrl, makePeerId, type SwarmId, swarmIdOf } from '@shoal/protocol'
import { BrowserCrypto } from '../browser/crypto-port.js'
import { defaultsFor } from '../browser/device.js'
import { createDialMemory } from '../browser/dial-memory.js'
import type { Environment } from '../browser/environment.js'
import type { ResolvedOptions } from '../options/resolved-options.js'
import type { ShoalDegradation, ShoalStats, ShoalWarning } from '../stats.js'
import { KeyDocuments } from './key-document.js'
import type { Ledger } from './ledger.js'
import { type PlaybackState, type UploadAuthority, UploadControl } from './upload-control.js'

/** Azureus-style prefix (BEP 20) of this client and its version. */
const PEER_ID_PREFIX = '-SH0100-'

/** What sessions of one Shoal instance share. */
export interface SessionContext {
  readonly environment: Environment
  readonly options: ResolvedOptions
  readonly ledger: Ledger
  /** What `Shoal.setUploadAllowed` last said. */
  readonly uploadAllowed: boolean
  /** What `Shoal.spareOrigin` last said. */
  readonly originSpared: boolean
  /** Whether peers may be used: the `p2p` option, asked once. Never rejects. */
  consent(): Promise<boolean>
  warn(code: ShoalWarning['code'], message: string): void
}

/** What a session asks of the player. */
export interface SessionPlayer {
  /** Null while no media is attached. */
  playback(): PlaybackState | null
  /** Where playback is, in seconds, as the tracker takes it; null where nothing plays. */
  playhead(): number | null
  /** Resolves when the first picture is there, or will not be for a while. */
  pictured(): Promise<void>
}

interface Prepared {
  readonly swarmId: SwarmId
  readonly crypto: CryptoPort
  readonly dialMemory: DialMemory
}

/**
 * One source's membership in its swarm.
 *
 * The swarm comes and goes (manifest not loaded yet, page in the back/forward cache, fault inside); whoever loads segments looks at `swarm` for each of them and
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
  #uploadControl: UploadControl | null = null
  #keys: KeyDocuments | null = null
  #hasLinks = false
  readonly #onSwitch: () => void
  readonly #player: SessionPlayer

  /** @param onSwitch called whenever the swarm was joined or left */
  constructor(context: SessionContext, onSwitch: () => void, player: SessionPlayer) {
    this.#context = context
    this.#onSwitch = onSwitch
    this.#player = player
    const { options, environment } = context
    if (!meetsPeers(options)) this.#obstacle = 'no-tracker'
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
    if (!meetsPeers(options) || subtle === undefined) return
    try {
      if (!(await this.#context.consent())) return
      const crypto = new BrowserCrypto(subtle)
      if (options.publicKeys.length > 0 && !(await crypto.setKeys(options.publicKeys))) {
        this.#obstacle = 'no-signature-support'
        warn('no-signature-support', 'the browser cannot verify signatures of publicKey')
        return
      }
      const contentId = this.#contentIdOf(manifestUrl)
      if (contentId === null) return
      if (options.publicKeyUrl !== null)
        await this.#followKeys(options.publicKeyUrl, contentId, crypto, subtle)
      if (this.#closed) return
      const swarmId = await swarmIdOf(contentId, crypto.sha256)
      const storage = environment.storage ?? (() => undefined)
      const dialMemory = createDialMemory(storage, swarmId.infoHash, Date.now)
      this.#prepared = { swarmId, crypto, dialMemory }
      this.#obstacle = null
      this.#join()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The keys are those of the document; without it none is trusted. */
  async #followKeys(
    url: string,
    contentId: string,
    crypto: BrowserCrypto,
    subtle: SubtleCrypto,
  ): Promise<void> {
    const { environment, options, warn } = this.#context
    await crypto.setKeys([])
    const keys = new KeyDocuments({
      url,
      roots: options.publicKeys,
      contentId,
      subtle,
      random: environment.random,
      onKeys: (current) => void crypto.setKeys(current),
      onError: (message) => warn('key-document-failed', message),
    })
    this.#keys = keys
    crypto.onUnknownKey = () => keys.unknownKey()
    if (this.#closed) keys.close()
    else void keys.load()
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

  /** The site has changed its mind about uploads. */
  uploadsChanged(): void {
    this.#uploadControl?.settle()
  }

  /** Ends for good; nobody is called back. */
  close(): void {
    this.#closed = true
    this.#keys?.close()
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
    const asked = this.#context.options.trackers.length > 0
    return asked && this.#obstacle === null && !this.#suspended ? 'connecting' : 'none'
  }

  #join(): void {
    if (this.#prepared === null || !this.#wanted || this.#suspended || this.#closed) return
    if (this.#swarm !== null || this.#obstacle !== null) return
    const { environment, options, ledger, warn } = this.#context
    const { clock, random, openSocket, device } = environment
    const { swarmId, crypto, dialMemory } = this.#prepared
    const defaults = defaultsFor(device)
    const uploadBytes = options.uploadBytesPerSession ?? defaults.uploadBytesPerSession
    try {
      const links = environment.createLinks(options.iceServers, (error) => warn('link-error', error.message))
      this.#swarm = environment.createSwarm(
        {
          swarmId,
          peerId: makePeerId(PEER_ID_PREFIX, random),
          role: 'viewer',
          trackers: options.trackers,
          seeders: options.seeders,
          ...(options.joinToken === undefined ? {} : { token: options.joinToken }),
          uploads: options.upload.enabled !== false,
          maxLinks: options.maxPeers ?? defaults.maxPeers,
          memoryBytes: options.memoryBytes ?? defaults.memoryBytes,
          uploadBytesPerSecond: options.upload.maxBytesPerSecond,
          uploadBytesPerSession: Math.max(0, uploadBytes - ledger.uploadedBytes),
          mode: options.mode,
          integrity: options.integrity ?? (options.publicKeys.length > 0 ? 'signed' : 'auto'),
          trustsTracker: options.publicKeys.length === 0,
        },
        {
          ...{ clock, random, crypto, dialMemory, links, openSocket, pieces: null },
          playhead: () => this.#player.playhead(),
          quiet: this.#player.pictured(),
        },
      )
      this.#hasLinks = links !== null
      this.#swarm.setStalls(ledger.stalls)
      if (this.#context.originSpared) this.#swarm.spareOrigin(true)
      this.#uploadControl = new UploadControl(this.#swarm, this.#uploadAuthority())
      this.#onSwitch()
    } catch (error) {
      this.#fail(error)
    }
  }

  #uploadAuthority(): UploadAuthority {
    const context = this.#context
    return {
      environment: context.environment,
      options: context.options,
      get uploadAllowed() {
        return context.uploadAllowed
      },
      playback: () => this.#player.playback(),
      warn: (code, message) => context.warn(code, message),
    }
  }

  #leave(): void {
    const swarm = this.#swarm
    if (swarm === null) return
    this.#swarm = null
    this.#uploadControl?.release()
    this.#uploadControl = null
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

/** There is somebody who can be asked for peers, or dialled. */
function meetsPeers({ trackers, seeders }: ResolvedOptions): boolean {
  return trackers.length > 0 || seeders.length > 0
}
