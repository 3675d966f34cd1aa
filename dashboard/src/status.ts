import type { FeedProblem, FeedState } from './feed.js'
import { durationText } from './format.js'

/** Numbers older than this, in ms, are shown as old: three samples are missing. */
export const STALE_MS = 3_500

/** What the page says of its connection. */
export interface Status {
  readonly tone: 'live' | 'wait' | 'away'
  /** Changes only with the situation, so that it can be read aloud. */
  readonly headline: string
  /** May change each second. */
  readonly detail: string
  /** Whether the numbers shown are old. */
  readonly stale: boolean
}

const PROBLEMS: Readonly<Record<FeedProblem, string>> = {
  closed: 'Tracker away',
  silent: 'Tracker silent',
  unreadable: 'Tracker not understood: reload this page',
}

/**
 * @param updatedAt when the last frame came, null for never
 * @param problem what went wrong last, null since the last frame; kept while a new try is under way, so
 *   that the headline does not flip with every try
 */
export function statusOf(
  feed: FeedState,
  updatedAt: number | null,
  problem: FeedProblem | null,
  now: number,
): Status {
  const age = updatedAt === null ? null : Math.max(0, now - updatedAt)
  const lastUpdate = age === null ? '' : `last update ${durationText(age / 1000)} ago`
  if (feed.type === 'live') {
    if (age !== null && age > STALE_MS) {
      return { tone: 'wait', headline: 'Tracker slow', detail: lastUpdate, stale: true }
    }
    return { tone: 'live', headline: 'Live', detail: '', stale: false }
  }
  if (problem === null)
    return { tone: 'wait', headline: 'Connecting', detail: lastUpdate, stale: age !== null }
  const next =
    feed.type === 'waiting'
      ? `next try in ${durationText(Math.ceil((feed.retryAt - now) / 1000))}`
      : 'trying now'
  return {
    tone: 'away',
    headline: PROBLEMS[problem],
    detail: [lastUpdate, next].filter((part) => part !== '').join(' · '),
    stale: true,
  }
}
