import type { Environment } from './browser/environment.js'
import { Emitter } from './emitter.js'
import { Attachment } from './hls/attachment.js'
import type { Hls } from './hls/player.js'
import type { ResolvedOptions } from './options/resolved-options.js'
import { Ledger } from './runtime/ledger.js'
import type { SessionContext } from './runtime/swarm-session.js'
import type { ShoalDegradation, ShoalEvents, ShoalStats, ShoalWarning } from './stats.js'

/** Milliseconds between `stats` events. */
const STATS_INTERVAL_MS = 1000

/** States that are normal, or that the site chose, or that were told when they were found. */
const SILENT: ReadonlySet<ShoalDegradation | null> = new Set([
  null,
  'no-tracker',
  'no-peers',
  'p2p-off',
  'suspended',
  'insecure-context',
  'no-signature-support',
  'swarm-failed',
])

/** hls.js instances with a Shoal on them: a second would fetch through the first. */
const attached = new WeakSet<Hls>()

/** What `Shoal` does, in a world that is handed in. */
export class Engine {
  readonly events = new Emitter<ShoalEvents>()
  readonly #ledger = new Ledger()
  readonly #context: SessionContext
  readonly #warned = new Set<ShoalWarning['code']>()
  #consent: Promise<boolean> | null = null
  #hls: Hls | null = null
  #attachment: Attachment | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #destroyed = false
  #uploadAllowed = true
  #originSpared = false

  constructor(options: ResolvedOptions, environment: Environment) {
    const uploadAllowed = () => this.#uploadAllowed
    const originSpared = () => this.#originSpared
    this.#context = {
      environment,
      options,
      ledger: this.#ledger,
      get uploadAllowed() {
        return uploadAllowed()
      },
      get originSpared() {
        return originSpared()
      },
      consent: () => this.#askConsent(),
      warn: (code, message) => this.#warn(code, message),
    }
  }

  get stats(): ShoalStats {
    const session = this.#attachment?.session ?? null
    return this.#ledger.read({
      snapshot: session?.swarm?.snapshot() ?? null,
      degraded: session === null ? this.#idleDegradation() : session.degraded,
      tracker: session?.tracker ?? 'none',
    })
  }

  attach(hls: Hls): void {
    if (this.#destroyed || this.#hls === hls) return
    this.detach()
    if (attached.has(hls)) {
      this.#warn('already-attached', 'another Shoal is attached to this hls.js instance')
      return
    }
    attached.add(hls)
    this.#hls = hls
    this.#attachment = new Attachment(hls, this.#context, () => this.#release())
    this.#timer = setInterval(() => this.#tick(), STATS_INTERVAL_MS)
  }

  detach(): void {
    this.#attachment?.detach()
    this.#release()
  }

  setUploadAllowed(allowed: boolean): void {
    this.#uploadAllowed = allowed === true
    this.#attachment?.session?.uploadsChanged()
  }

  spareOrigin(spared: boolean): void {
    this.#originSpared = spared === true
    this.#attachment?.session?.swarm?.spareOrigin(this.#originSpared)
  }

  destroy(): void {
    this.detach()
    this.#destroyed = true
    this.events.clear()
  }

  #release(): void {
    clearInterval(this.#timer)
    this.#attachment = null
    if (this.#hls !== null) attached.delete(this.#hls)
    this.#hls = null
  }

  #tick(): void {
    const { stats } = this
    if (!SILENT.has(stats.degraded) && stats.degraded !== null) {
      const refusal = this.#attachment?.session?.swarm?.snapshot().refusal
      const reason = stats.degraded === 'refused' && refusal ? `refused (${refusal})` : stats.degraded
      this.#warn(stats.degraded, `everything comes by HTTP: ${reason}`)
    }
    this.events.emit('stats', stats)
  }

  #idleDegradation(): ShoalDegradation {
    const { trackers, p2p } = this.#context.options
    if (trackers.length === 0) return 'no-tracker'
    return p2p === false ? 'p2p-off' : 'no-peers'
  }

  #askConsent(): Promise<boolean> {
    this.#consent ??= this.#readConsent()
    return this.#consent
  }

  async #readConsent(): Promise<boolean> {
    const { p2p } = this.#context.options
    if (typeof p2p === 'boolean') return p2p
    try {
      return (await p2p()) === true
    } catch (error) {
      this.#warn('consent-failed', String(error))
      return false
    }
  }

  #warn(code: ShoalWarning['code'], message: string): void {
    if (this.#warned.has(code)) return
    this.#warned.add(code)
    this.events.emit('warning', { code, message })
  }
}
