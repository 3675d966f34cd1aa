import type { StatsSample } from '@shoal/protocol'
import { offloadOf } from './offload.js'

/** How far back the charts look, in milliseconds. */
export const WINDOW_MS = 10 * 60_000

/**
 * Rates are averaged over this long, in milliseconds. A player fetches a segment of some seconds in a
 * burst and reports now and then, so that one second's rate of a small swarm is all or nothing.
 */
export const SMOOTHING_MS = 10_000

/** Samples come once a second; a hole this wide, in milliseconds, is drawn as a hole. */
const GAP_MS = 5_000

/** Columns of the charts: one index is one moment. Null where there was no sample. */
export interface Timeline {
  /** Seconds since 1970, rising. */
  readonly at: readonly number[]
  /** Rates in bytes per second, averaged. */
  readonly peerRate: readonly (number | null)[]
  readonly seederRate: readonly (number | null)[]
  readonly httpRate: readonly (number | null)[]
  /** 0..1; null too while nothing was fetched. */
  readonly offload: readonly (number | null)[]
  readonly viewers: readonly (number | null)[]
  readonly seeders: readonly (number | null)[]
}

/** Rates at one moment, in bytes per second, averaged. */
export interface Rates {
  readonly peers: number
  readonly seeders: number
  readonly http: number
}

/** Samples in order of time, each moment once, no older than the charts need. */
export function windowOf(samples: readonly StatsSample[]): readonly StatsSample[] {
  const byTime = new Map(samples.map((sample) => [sample.at, sample]))
  const ordered = [...byTime.values()].sort((a, b) => a.at - b.at)
  const newest = ordered.at(-1)
  if (newest === undefined) return []
  // The oldest point drawn is an average too.
  return ordered.filter((sample) => sample.at >= newest.at - WINDOW_MS - SMOOTHING_MS)
}

/** Adds the newest sample. A clock that was set back takes what it now says lies ahead with it. */
export function withSample(samples: readonly StatsSample[], sample: StatsSample): readonly StatsSample[] {
  return windowOf([...samples.filter((earlier) => earlier.at < sample.at), sample])
}

/** Rates at the newest sample; null without one. */
export function ratesNow(samples: readonly StatsSample[]): Rates | null {
  return samples.length === 0 ? null : ratesAt(samples, samples.length - 1)
}

/** The charts' columns. */
export function timelineOf(samples: readonly StatsSample[]): Timeline {
  const at: number[] = []
  const peerRate: (number | null)[] = []
  const seederRate: (number | null)[] = []
  const httpRate: (number | null)[] = []
  const offload: (number | null)[] = []
  const viewers: (number | null)[] = []
  const seeders: (number | null)[] = []
  const oldest = (samples.at(-1)?.at ?? 0) - WINDOW_MS
  for (const [index, sample] of samples.entries()) {
    if (sample.at < oldest) continue
    const previous = samples[index - 1]
    if (previous !== undefined && at.length > 0 && sample.at - previous.at > GAP_MS) {
      at.push((previous.at + 1000) / 1000)
      for (const column of [peerRate, seederRate, httpRate, offload, viewers, seeders]) column.push(null)
    }
    const rates = ratesAt(samples, index)
    at.push(sample.at / 1000)
    peerRate.push(rates.peers)
    seederRate.push(rates.seeders)
    httpRate.push(rates.http)
    offload.push(offloadOf(rates))
    viewers.push(sample.viewers)
    seeders.push(sample.seeders)
  }
  return { at, peerRate, seederRate, httpRate, offload, viewers, seeders }
}

/** Mean of the samples of the last `SMOOTHING_MS`, not reaching across a hole. */
function ratesAt(samples: readonly StatsSample[], index: number): Rates {
  let peers = 0
  let seeders = 0
  let http = 0
  let taken = 0
  const last = samples[index]?.at ?? 0
  let next = last
  for (let at = index; at >= 0; at -= 1) {
    const sample = samples[at]
    if (sample === undefined || sample.at <= last - SMOOTHING_MS || next - sample.at > GAP_MS) break
    peers += sample.peerRate
    seeders += sample.seederRate
    http += sample.httpRate
    next = sample.at
    taken += 1
  }
  const count = Math.max(1, taken)
  return { peers: peers / count, seeders: seeders / count, http: http / count }
}
