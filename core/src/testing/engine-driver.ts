import {
  channelOf,
  encodeMessage,
  millis,
  type PeerId,
  type PeerMessage,
  type SegmentManifest,
} from '@shoal/protocol'
import { Engine, type EngineOptions } from '../engine/engine.js'
import type { Effect, Input, LinkId } from '../engine/io.js'
import type { ManifestTrust } from '../ports/digest.js'
import type { WantedSegment } from '../runtime/swarm-api.js'
import { sentMessages, TEST_SWARM, testPeerId } from './engine-fixtures.js'
import { seededRandom } from './random.js'
import { toyDigest } from './toy-crypto.js'

type Untimed<T> = T extends unknown ? Omit<T, 'now'> : never

export interface DriverOptions extends Partial<EngineOptions> {
  /** Hash jobs wait until `answerHashes`. */
  readonly holdHashes?: boolean
  readonly seed?: number
  /** What the host says of a manifest's signature; `unsigned` of all unless given. */
  readonly trustOf?: (manifest: SegmentManifest) => ManifestTrust
}

/** An engine by itself: the test is its network, its origin and its clock; hashes are answered at once. */
export class EngineDriver {
  readonly engine: Engine
  now = 1_000
  /** Every effect so far. */
  readonly effects: Effect[] = []
  private readonly held: Extract<Effect, { type: 'hash' }>[] = []
  private readonly holdHashes: boolean
  private readonly trustOf: (manifest: SegmentManifest) => ManifestTrust

  constructor({ holdHashes = false, seed = 1, trustOf = () => 'unsigned', ...options }: DriverOptions = {}) {
    this.holdHashes = holdHashes
    this.trustOf = trustOf
    this.engine = new Engine(
      {
        swarmId: TEST_SWARM,
        peerId: testPeerId('me'),
        role: 'viewer',
        uploads: true,
        memoryBytes: 64 * 1024 * 1024,
        uploadBytesPerSecond: Number.POSITIVE_INFINITY,
        integrity: 'off',
        maxLinks: 14,
        ...options,
      },
      seededRandom(seed),
    )
  }

  /** Hands in an input and answers what it asks for; the effects of all that. */
  input(input: Untimed<Input>): Effect[] {
    // Omit over a union loses the tie between `type` and its fields, which Untimed has kept.
    const effects = [...this.engine.handle({ ...input, now: millis(this.now) } as Input)]
    this.effects.push(...effects)
    for (const effect of [...effects]) {
      if (effect.type === 'hash') {
        if (this.holdHashes) this.held.push(effect)
        else effects.push(...this.answerHash(effect))
      } else if (effect.type === 'check-manifest') {
        const { jobId, manifest } = effect
        effects.push(...this.input({ type: 'manifest-checked', jobId, trust: this.trustOf(manifest) }))
      }
    }
    return effects
  }

  /** Answers the hash jobs that were held. */
  answerHashes(): Effect[] {
    return this.held.splice(0).flatMap((job) => this.answerHash(job))
  }

  /** Lets time pass, with a tick every `step` milliseconds. */
  advance(ms: number, step = 50): Effect[] {
    const until = this.now + ms
    const effects: Effect[] = []
    while (this.now < until) {
      this.now = Math.min(until, this.now + step)
      effects.push(...this.input({ type: 'tick' }))
    }
    return effects
  }

  /** A message of the peer at `link`, on the channel where it belongs. */
  receive(link: LinkId, message: PeerMessage, channel = channelOf(message.type)): Effect[] {
    return this.input({ type: 'message', link, channel, bytes: encodeMessage(message) })
  }

  /** A connection whose Hello has come. */
  connect(
    link: LinkId,
    {
      peerId = testPeerId(`peer-${link}`),
      role = 'viewer' as 'viewer' | 'seeder',
      uploads = true,
      initiator = true,
    } = {},
  ): Effect[] {
    const effects = this.input({ type: 'link-open', link, initiator })
    effects.push(...this.receive(link, this.helloOf(peerId, role, uploads)))
    return effects
  }

  helloOf(peerId: PeerId, role: 'viewer' | 'seeder' = 'viewer', uploads = true): PeerMessage {
    const { tag, bytes } = TEST_SWARM
    return { type: 'hello', swarmTag: tag, version: 1, peerId, swarmId: bytes, role, uploads }
  }

  want(wantId: number, wanted: WantedSegment): Effect[] {
    return this.input({ type: 'want', wantId, wanted })
  }

  /** Links that a Hello came over and that are not closed. */
  get links(): number {
    return this.engine.snapshot().links.length
  }

  /** Messages sent to `link` so far, or among `effects`. */
  sent(link: LinkId, effects: readonly Effect[] = this.effects): PeerMessage[] {
    return sentMessages(effects, link)
  }

  private answerHash(job: Extract<Effect, { type: 'hash' }>): Effect[] {
    return this.input({ type: 'hashed', jobId: job.jobId, digest: toyDigest(job.bytes) })
  }
}
