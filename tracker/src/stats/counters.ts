import type { RefusalCode } from '../admission/refusal.js'
import { REFUSAL_CODES } from '../admission/refusal.js'

/** Events since the start, for `/metrics`. Plain numbers: they are counted on the hottest paths. */
export interface Counters {
  announces: number
  answers: number
  candidates: number
  scrapes: number
  failures: number
  offersRelayed: number
  /** Peers named to others that had asked. */
  introductions: number
  /** Offers to peers that were not named to the offerer, or not lately, or that have left. */
  uninvited: number
  answersRelayed: number
  candidatesRelayed: number
  /** Answers and candidates without a relayed offer to belong to: late, repeated, or made up. */
  strays: number
  reports: number
  socketsOpened: number
  /** Messages and upgrades refused, by code. */
  refusals: Record<RefusalCode, number>
  /** Peers that others got banned. */
  bans: number
  /** Upgrades refused because the tracker is full. */
  socketsRefused: number
  /** Sockets ended because their reader was too slow. */
  socketsSlow: number
  /** Sockets ended because they kept sending rubbish. */
  socketsAbusive: number
}

export function newCounters(): Counters {
  return {
    announces: 0,
    answers: 0,
    candidates: 0,
    scrapes: 0,
    failures: 0,
    offersRelayed: 0,
    introductions: 0,
    uninvited: 0,
    answersRelayed: 0,
    candidatesRelayed: 0,
    strays: 0,
    reports: 0,
    socketsOpened: 0,
    refusals: Object.fromEntries(REFUSAL_CODES.map((code) => [code, 0])) as Record<RefusalCode, number>,
    bans: 0,
    socketsRefused: 0,
    socketsSlow: 0,
    socketsAbusive: 0,
  }
}
