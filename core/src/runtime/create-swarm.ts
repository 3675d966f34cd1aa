import {
  type Millis,
  millis,
  type PeerId,
  type PeerReport,
  type SegmentId,
  type SegmentManifest,
} from '@shoal/protocol'
import { Engine } from '../engine/engine.js'
import type { Effect, Input, LinkId } from '../engine/io.js'
import type { PeerLink, PeerLinkEvents } from '../ports/link.js'
import type { OriginError, OriginFetchEvents, OriginFetcher } from '../ports/origin.js'
import { Mesh } from './mesh.js'
import { GOODBYE_MS } from './mesh-gate.js'
import { playheadHint } from './playhead-hint.js'
import { RoundTrips } from './round-trips.js'
import type {
  CreateSwarm,
  SegmentConsumer,
  SegmentFetch,
  Swarm,
  SwarmOptions,
  SwarmPorts,
  SwarmSnapshot,
  UploadState,
  Verdict,
  WantedSegment,
} from './swarm-api.js'
import { verifySegment } from './verify.js'

/** Inputs without their time: the runtime reads the clock once, when it hands them in. */
type Untimed<T> = T extends unknown ? Omit<T, 'now'> : never

/** Ways to segments at the origin that are kept after their wants are over, for checks. */
const KEPT_ORIGINS = 16

const NO_CHECK: OriginError = { kind: 'network', status: 0, message: 'no way to check' }

interface OpenWant {
  readonly origin: OriginFetcher
  readonly consumer: SegmentConsumer
}

/** Makes and starts a member of a swarm: the engine, its mesh, and the host's ports around them. */
export const createSwarm: CreateSwarm = (options, ports) => new SwarmRuntime(options, ports)

/** The input at a time: every one is made for this, and is not copied, since there are very many. */
function timed(input: Untimed<Input>, now: Millis): Input {
  const stamped = input as { now?: Millis }
  stamped.now = now
  // Omit over a union loses the tie between `type` and its fields, which Untimed has kept.
  return stamped as Input
}

class SwarmRuntime implements Swarm {
  private readonly ports: SwarmPorts
  private readonly options: SwarmOptions
  private readonly engine: Engine
  private readonly mesh: Mesh
  private readonly roundTrips: RoundTrips
  private readonly wants = new Map<number, OpenWant>()
  /** Of the last wants, over or not. */
  private readonly origins = new Map<number, OriginFetcher>()
  private readonly loads = new Map<number, () => void>()
  private readonly queue: Untimed<Input>[] = []
  /** Connections whose lossy channel still had something to send when it was last looked at. */
  private readonly unsent = new Set<LinkId>()
  private running = false
  private nextWant = 1
  private stalls = 0
  private cancelWake: () => void = () => undefined
  /** When the engine wants its tick, and when the timer that is set will look. */
  private wakeAt = 0
  private timerAt = Number.POSITIVE_INFINITY
  private closed = false

  constructor(options: SwarmOptions, ports: SwarmPorts) {
    this.options = options
    this.ports = ports
    this.engine = new Engine(options, ports.random)
    this.mesh = new Mesh(options, ports, {
      linkOpen: (link, initiator, remote, introduction) => {
        const named = remote === null ? {} : { remote }
        this.input({ type: 'link-open', link, initiator, introduction, ...named })
        this.roundTrips.add(link)
      },
      linkMessage: (link, channel, bytes) => this.input({ type: 'message', link, channel, bytes }),
      linkDrained: (link) => this.tellBuffered(link),
      linkClosed: (link) => this.input({ type: 'link-closed', link }),
      swarmSize: (members) => this.input({ type: 'swarm-size', members }),
      level: (level) => this.input({ type: 'integrity', level }),
      verdict: (verdict) => this.input({ type: 'verdict', verdict }),
      hope: (hopeful) => this.input({ type: 'connecting', hopeful }),
      report: () => this.report(),
      hints: () => ({ ...this.engine.hints(), ...playheadHint(ports.playhead?.() ?? null) }),
    })
    this.roundTrips = new RoundTrips(
      ports.clock,
      (id) => this.mesh.link(id),
      (link, roundTripMs) => this.input({ type: 'round-trip', link, rtt: millis(roundTripMs) }),
    )
    this.mesh.start()
  }

  fetch(wanted: WantedSegment, origin: OriginFetcher, consumer: SegmentConsumer): SegmentFetch {
    const wantId = this.nextWant++
    this.wants.set(wantId, { origin, consumer })
    this.origins.set(wantId, origin)
    const oldest = this.origins.keys().next().value
    if (this.origins.size > KEPT_ORIGINS && oldest !== undefined) this.origins.delete(oldest)
    this.input({ type: 'want', wantId, wanted })
    return {
      setDeadline: (deadline) => {
        if (this.wants.has(wantId)) this.input({ type: 'deadline', wantId, deadline })
      },
      cancel: () => {
        if (this.wants.delete(wantId)) this.input({ type: 'unwant', wantId })
      },
    }
  }

  publish(manifest: SegmentManifest, bytes: Uint8Array | null): void {
    if (bytes !== null && bytes.byteLength !== manifest.size) {
      throw new RangeError(`${bytes.byteLength} bytes for a manifest of ${manifest.size}`)
    }
    this.input({ type: 'publish', manifest, bytes })
  }

  announceFetching(segment: SegmentId): void {
    this.input({ type: 'announce-fetching', segment })
  }

  drop(segment: SegmentId): void {
    this.input({ type: 'drop', segment })
  }

  accept(remote: PeerId, make: (events: PeerLinkEvents) => PeerLink): boolean {
    return this.mesh.accept(remote, make)
  }

  snapshot(): SwarmSnapshot {
    const { trackerState: tracker, degraded, lastRefusal: refusal } = this.mesh
    return { ...this.engine.snapshot(), tracker, degraded, refusal }
  }

  get seederUrls(): readonly string[] {
    return this.mesh.seederUrls
  }

  verify(segment: SegmentId, bytes: Uint8Array): Promise<Verdict> {
    return verifySegment(this.engine.manifest(segment), bytes, this.ports.crypto.sha256)
  }

  setUploads(state: UploadState): void {
    this.input({ type: 'uploads', state })
  }

  spareOrigin(spared: boolean): void {
    this.input({ type: 'spare-origin', spared })
  }

  setStalls(stalls: number): void {
    this.stalls = stalls
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.cancelWake()
    this.roundTrips.close()
    for (const cancel of this.loads.values()) cancel()
    this.loads.clear()
    this.wants.clear()
    this.origins.clear()
    for (const effect of this.engine.close(this.ports.clock.now())) {
      if (effect.type === 'send') this.mesh.link(effect.link)?.send(effect.channel, effect.bytes)
    }
    this.mesh.close()
  }

  private report(): PeerReport {
    const { httpBytes, peerBytes, seederBytes, uploadedBytes, links } = this.engine.snapshot()
    return {
      http: httpBytes,
      peers: peerBytes,
      seeders: seederBytes,
      uploaded: uploadedBytes,
      links: links.length,
      stalls: this.stalls,
    }
  }

  /** Hands an input to the engine and does what it says; inputs that arise meanwhile wait their turn. */
  private input(input: Untimed<Input>): void {
    if (this.closed) return
    this.queue.push(input)
    if (this.running) return
    this.running = true
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        this.apply(this.engine.handle(timed(next, this.ports.clock.now())))
      }
    } finally {
      this.running = false
    }
  }

  private apply(effects: readonly Effect[]): void {
    let sentTo: Set<LinkId> | null = null
    for (const effect of effects) {
      this.applyOne(effect)
      if (effect.type !== 'send' || effect.channel !== 'lossy') continue
      sentTo ??= new Set()
      sentTo.add(effect.link)
    }
    for (const link of sentTo ?? []) this.tellBuffered(link)
  }

  private applyOne(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        return this.send(effect.link, effect.channel, effect.bytes)
      case 'close-link':
        // Neither end is to come back at once: the one has no room, the other broke the protocol.
        if (effect.reason === 'full' || effect.reason === 'violation') this.mesh.avoid(effect.link)
        this.ports.clock.setTimer(millis(GOODBYE_MS), () => this.mesh.closeLink(effect.link))
        return
      case 'accuse':
        return this.mesh.accuse(effect.peer)
      case 'replace-neighbour':
        return this.mesh.setReplacing(effect.wanted)
      case 'http-fetch':
        return this.load(effect.fetchId, effect.wantId, effect.span)
      case 'http-check':
        return this.check(effect.fetchId, effect.wantId, effect.span)
      case 'find-manifest':
        return this.findManifest(effect.wantId)
      case 'list':
        return this.mesh.report(effect.segment, effect.digest, effect.wrong)
      case 'http-cancel':
        this.loads.get(effect.fetchId)?.()
        this.loads.delete(effect.fetchId)
        return
      case 'hash': {
        const { jobId } = effect
        this.ports.crypto.sha256(effect.bytes).then(
          (digest) => this.input({ type: 'hashed', jobId, digest }),
          () => this.input({ type: 'hashed', jobId, digest: new Uint8Array(0) }),
        )
        return
      }
      case 'check-manifest': {
        const { jobId, manifest } = effect
        this.ports.crypto.verifyManifest(this.options.swarmId.bytes, manifest).then(
          (trust) => this.input({ type: 'manifest-checked', jobId, trust }),
          () => this.input({ type: 'manifest-checked', jobId, trust: 'untrusted' }),
        )
        return
      }
      case 'read-piece': {
        const { jobId, segment, span } = effect
        const read = this.ports.pieces?.read(segment, span.start, span.end) ?? Promise.resolve(null)
        read.then(
          (bytes) => this.input({ type: 'piece-read', jobId, bytes }),
          () => this.input({ type: 'piece-read', jobId, bytes: null }),
        )
        return
      }
      case 'progress':
        return this.tell(effect.wantId, false, (consumer) => consumer.onProgress(effect.loaded, effect.total))
      case 'done':
        return this.tell(effect.wantId, true, (consumer) => consumer.onDone(effect.result))
      case 'failed':
        return this.tell(effect.wantId, true, (consumer) => consumer.onError(effect.error))
      case 'wake-at':
        return this.wake(effect.at)
    }
  }

  private send(id: LinkId, channel: 'lossy' | 'control', bytes: Uint8Array): void {
    const link = this.mesh.link(id)
    const result = link?.send(channel, bytes)
    if (result === 'sent') this.roundTrips.sent(bytes.byteLength)
    // A lossy message may be lost anyway; a peer that does not even read control is of no use.
    if (result === 'full' && channel === 'control') {
      this.mesh.closeLink(id)
      this.input({ type: 'link-closed', link: id })
    }
  }

  private tellBuffered(id: LinkId, looking = false): void {
    const link = this.mesh.link(id)
    const bytes = link?.bufferedAmount('lossy') ?? 0
    if (bytes > 0) this.unsent.add(id)
    else this.unsent.delete(id)
    if (link === null) return
    // What waits its turn is to be taken up first.
    const noted = this.queue.length === 0 && !this.closed && this.engine.noteBuffered(id, bytes, looking)
    if (!noted) this.input({ type: 'link-buffered', link: id, bytes })
  }

  /** Consumers hear asynchronously, so that `fetch` has returned, and nothing after the end. */
  private tell(wantId: number, last: boolean, call: (consumer: SegmentConsumer) => void): void {
    Promise.resolve().then(() => {
      const want = this.wants.get(wantId)
      if (want === undefined) return
      if (last) this.wants.delete(wantId)
      call(want.consumer)
    })
  }

  private load(fetchId: number, wantId: number, span: { start: number; end: number } | null): void {
    const want = this.wants.get(wantId)
    if (want === undefined) return
    this.loads.set(fetchId, want.origin.fetch(span, this.loadEvents(fetchId)))
  }

  private check(fetchId: number, wantId: number, span: { start: number; end: number }): void {
    const origin = this.origins.get(wantId)
    const cancel = origin?.check?.(span, this.loadEvents(fetchId))
    if (cancel !== undefined) this.loads.set(fetchId, cancel)
    else this.input({ type: 'http-error', fetchId, error: NO_CHECK })
  }

  private findManifest(wantId: number): void {
    void this.origins
      .get(wantId)
      ?.manifest?.()
      .then((manifest) => manifest !== null && this.input({ type: 'manifest-found', manifest }))
  }

  private loadEvents(fetchId: number): OriginFetchEvents {
    return {
      onResponse: (total) => this.input({ type: 'http-response', fetchId, total }),
      onData: (offset, bytes) => this.input({ type: 'http-data', fetchId, offset, bytes }),
      onDone: (doubtful = false) => {
        this.loads.delete(fetchId)
        this.input({ type: 'http-done', fetchId, doubtful })
      },
      onError: (error) => {
        this.loads.delete(fetchId)
        this.input({ type: 'http-error', fetchId, error })
      },
    }
  }

  private wake(at: number): void {
    const { clock } = this.ports
    this.wakeAt = at
    // The tick is put off at nearly every input: the timer that is set looks again when it is due.
    if (this.timerAt <= at) return
    this.cancelWake()
    this.timerAt = at
    this.cancelWake = clock.setTimer(millis(Math.max(0, at - clock.now())), () => {
      this.timerAt = Number.POSITIVE_INFINITY
      if (this.wakeAt > at) return this.wake(this.wakeAt)
      // Channels tell only when they fall below a threshold: what drained above or below it is read.
      for (const link of [...this.unsent]) this.tellBuffered(link, true)
      this.input({ type: 'tick' })
    })
  }
}
