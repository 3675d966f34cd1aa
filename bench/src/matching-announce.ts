import { millis } from '@shoal/protocol'
import { DEFAULT_SIGNALLING_OPTIONS, Tracker } from '../../tracker/dist/signalling/tracker.js'
import { Matcher } from '../../tracker/dist/swarm/matching.js'
import type { Peer } from '../../tracker/dist/swarm/peer.js'
import { Session } from '../../tracker/dist/swarm/session.js'
import { atRandom } from './matching-random.js'
import { type Random, seeded } from './matching-swarm.js'

/** Announces as the tracker's own bench has them, and those of one large swarm. */
const SCENARIOS = [
  { swarm: 10, offers: 10, sdpBytes: 47 },
  { swarm: 20, offers: 5, sdpBytes: 900 },
  { swarm: 1_000, offers: 10, sdpBytes: 47 },
  { swarm: 1_000, offers: 5, sdpBytes: 900 },
] as const

const CLIENTS = 1_000

/** Announces of each client in a round. */
const ANNOUNCES = 10

/** Between two announces of a client, in ms: longer than offers are remembered. */
const INTERVAL_MS = 120_000

export interface AnnounceRow {
  readonly swarm: number
  readonly offers: number
  readonly sdpBytes: number
  /** CPU time of one announce of a Shoal peer in the tracker, without sockets: medians of the rounds. */
  readonly microseconds: number
  /** Control: the same with receivers drawn at random. */
  readonly microsecondsAtRandom: number
  /** What is announced less in the same time because of matching, 0..1. */
  readonly throughputLost: number
}

/** What matching costs of an announce: reading it, the reply and the relays are the same in both rows. */
export function measureAnnounces(rounds: number): AnnounceRow[] {
  return SCENARIOS.map(({ swarm, offers, sdpBytes }) => {
    const bench = new AnnounceBench(swarm, offers, sdpBytes)
    const samples = { shoal: [] as number[], random: [] as number[] }
    for (let round = -1; round < rounds; round++) {
      for (const target of ['shoal', 'random'] as const) {
        const sample = bench.run(target)
        if (round >= 0) samples[target].push(sample)
      }
    }
    const [ours, control] = [median(samples.shoal), median(samples.random)]
    return {
      swarm,
      offers,
      sdpBytes,
      microseconds: Number(ours.toFixed(2)),
      microsecondsAtRandom: Number(control.toFixed(2)),
      throughputLost: Number((1 - control / ours).toFixed(3)),
    }
  })
}

class AnnounceBench {
  private readonly tracker: Tracker
  private readonly random: Random
  private readonly clients: { readonly session: Session; readonly data: Uint8Array }[] = []
  private now = 0

  constructor(swarm: number, offers: number, sdpBytes: number) {
    this.random = seeded(swarm)
    this.tracker = new Tracker(DEFAULT_SIGNALLING_OPTIONS, this.random)
    for (let i = 0; i < CLIENTS; i++) {
      const session = new Session({ send() {} })
      this.clients.push({ session, data: announceOf(i, swarm, offers, sdpBytes) })
    }
  }

  /** CPU time of an announce, in microseconds. */
  run(target: 'shoal' | 'random'): number {
    const own = Matcher.prototype.choose
    const control = (peer: Peer, count: number) => atRandom(peer, count, this.random)
    Matcher.prototype.choose = target === 'shoal' ? own : control
    try {
      return this.announceAll()
    } finally {
      Matcher.prototype.choose = own
    }
  }

  private announceAll(): number {
    const relayed = this.tracker.counters.offersRelayed
    const before = process.cpuUsage()
    for (let i = 0; i < ANNOUNCES; i++) {
      this.now += INTERVAL_MS
      for (const { session, data } of this.clients) this.tracker.message(session, data, millis(this.now))
    }
    const { user, system } = process.cpuUsage(before)
    if (this.tracker.counters.offersRelayed === relayed) throw new Error('no offer was relayed')
    return (user + system) / (ANNOUNCES * CLIENTS)
  }
}

function announceOf(client: number, swarm: number, offers: number, sdpBytes: number): Uint8Array {
  const entry = (offer: number) => ({
    offer: { type: 'offer', sdp: 'x'.repeat(sdpBytes) },
    offer_id: `offer-${client}-${offer}`.padEnd(20, '-'),
  })
  return new TextEncoder().encode(
    JSON.stringify({
      action: 'announce',
      info_hash: `swarm-${Math.floor(client / swarm)}`.padEnd(20, '-'),
      peer_id: `peer-${client}`.padEnd(20, '-'),
      numwant: offers,
      uploaded: 0,
      downloaded: 0,
      left: 1,
      shoal: { v: 1, role: 'viewer', uplink: 100_000 + client * 1000, uploads: true, degree: client % 12 },
      offers: Array.from({ length: offers }, (_, offer) => entry(offer)),
    }),
  )
}

export function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
