import type { MatchingHints } from '@shoal/protocol'
import type { Peer } from './peer.js'
import type { PeerTable } from './peer-table.js'
import { FIELD, FLAG } from './peer-table.js'

/** What counts how much in the score of a candidate; the reasons are in docs/matching.md. */
const WEIGHTS = {
  locality: 0.5,
  uplink: 0.2,
  content: 0.2,
  life: 0.15,
  reliability: 0.1,
  fresh: 0.05,
  room: 0.05,
  congestion: 0.2,
} as const

/** Score that a peer loses which is full or serves nobody: one in twenty is still asked. */
const RELUCTANCE = 0.3

/** Uplink that earns the full score while a swarm has told none, in bytes per second: twice 4 Mbit/s. */
const REFERENCE_UPLINK = 1_000_000

/** Part of a measured uplink that a peer can spare for others. */
const SPARE_SHARE = 0.8

/** Of a peer that has not told its uplink: that of a peer with the median's. */
const UNKNOWN_UPLINK = 0.4

/** Age that every peer is credited with, and the age that earns half the score, in seconds. */
const LIFE_HEAD_START = 120
const LIFE_HALF = 300

/**
 * Difference of playheads that still earns the whole score for content, in tenths of a second: about a
 * segment. Each doubling costs a tenth, so that both live viewers some seconds apart and viewers of an hour
 * on demand are told apart; from 43 minutes on nothing is left.
 */
const SAME_PLAYHEAD = 50
const DOUBLINGS = 10

/** Of a pair that has not told its playheads. */
const UNKNOWN_CONTENT = 0.5

/** Silence that halves the freshness, in seconds; reports come every 10 s. */
const FRESH_HALF = 60

/** Connections with which a peer has no room left. */
const FULL_DEGREE = 30

/** Upload queue that counts as congestion, in ms. */
const CONGESTED_MS = 200

const NOTHING_TOLD: MatchingHints = {}

/** Puts what a peer has told of itself into its record. @param median of the swarm's uplinks, 0 if unknown */
export function writeHints(table: PeerTable, { slot, hints }: Peer, median: number): void {
  const told = hints ?? NOTHING_TOLD
  table.set(slot, FIELD.quality, Math.round(1000 * qualityOf(told)))
  table.set(slot, FIELD.spare, Math.round(1000 * spareUplinkOf(told, median)))
  table.set(slot, FIELD.playhead, told.playhead === undefined ? -1 : Math.round(10 * told.playhead))
  let flags = table.get(slot, FIELD.flags) & FLAG.known
  if (told.uploads === false) flags |= FLAG.receivesOnly
  if (told.slots === 0) flags |= FLAG.full
  if (told.nat === 'symmetric') flags |= FLAG.symmetric
  table.set(slot, FIELD.flags, flags)
}

/** The part of the score that depends on nobody else. */
function qualityOf({ ok = 0, failed = 0, degree, backlog = 0 }: MatchingHints): number {
  const reliability = (ok + 2) / (ok + failed + 3)
  const room = degree === undefined ? 0.5 : Math.max(0, 1 - degree / FULL_DEGREE)
  const congestion = Math.min(1, backlog / CONGESTED_MS)
  return WEIGHTS.reliability * reliability + WEIGHTS.room * room - WEIGHTS.congestion * congestion
}

/**
 * How much a peer can give to others, 0 to 1. A claim of more than two and a half times the median
 * earns nothing more, so that a liar is sought no more than the best tenth.
 */
function spareUplinkOf({ uplink, uploads }: MatchingHints, median: number): number {
  if (uploads === false) return 0
  if (uplink === undefined) return UNKNOWN_UPLINK
  const reference = median > 0 ? 2 * median : REFERENCE_UPLINK
  return Math.min(1, (SPARE_SHARE * uplink) / reference)
}

/** How long a peer is likely to stay, 0 to 1: sessions are heavy-tailed, who has stayed stays. */
export function lifeOf(ints: Int32Array, at: number, seconds: number): number {
  const age = Math.max(0, seconds - (ints[at + FIELD.joined] ?? 0)) + LIFE_HEAD_START
  return age / (age + LIFE_HALF)
}

/**
 * Score of the candidate whose record is at `at`, -0.5 to 1.25.
 *
 * @param cost of traffic between the two, 0 to 100
 * @param playhead of the asker in tenths of a second, -1 if unknown
 */
export function scoreOf(
  ints: Int32Array,
  at: number,
  cost: number,
  playhead: number,
  life: number,
  seconds: number,
): number {
  const other = ints[at + FIELD.playhead] ?? -1
  const content = playhead < 0 || other < 0 ? UNKNOWN_CONTENT : contentOf(Math.abs(playhead - other))
  const silence = Math.max(0, seconds - (ints[at + FIELD.seen] ?? 0))
  const score =
    WEIGHTS.locality * (1 - cost / 100) +
    (WEIGHTS.uplink / 1000) * (ints[at + FIELD.spare] ?? 0) +
    WEIGHTS.content * content +
    WEIGHTS.life * life +
    (WEIGHTS.fresh * FRESH_HALF) / (FRESH_HALF + silence) +
    (ints[at + FIELD.quality] ?? 0) / 1000
  return reluctant(ints[at + FIELD.flags] ?? 0) ? score - RELUCTANCE : score
}

/** @param apart difference of the playheads in tenths of a second, whole */
function contentOf(apart: number): number {
  // The bits of a whole number are its logarithm, at no cost.
  const doublings = 32 - Math.clz32(apart / SAME_PLAYHEAD)
  return Math.max(0, 1 - doublings / DOUBLINGS)
}

/** True where others are to be preferred: it serves nobody, or has told that it is full. */
export function reluctant(flags: number): boolean {
  return (flags & (FLAG.receivesOnly | FLAG.full)) !== 0
}

/** True where the two can hardly connect, or have nothing to give to each other. */
export function incompatible(flags: number, others: number): boolean {
  return (flags & others & (FLAG.symmetric | FLAG.receivesOnly)) !== 0
}
