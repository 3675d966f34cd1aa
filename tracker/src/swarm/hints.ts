import type { MatchingHints } from '@shoal/protocol'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const KEYS = [
  'uplink',
  'uploads',
  'slots',
  'playhead',
  'nat',
  'degree',
  'backlog',
  'ok',
  'failed',
] as const satisfies (keyof MatchingHints)[]

/** What an announce tells for matching, without its other keys; null when nothing. */
export function hintsOf(told: MatchingHints): MatchingHints | null {
  let hints: Mutable<MatchingHints> | null = null
  for (const key of KEYS) {
    if (told[key] === undefined) continue
    hints ??= {}
    copy(hints, told, key)
  }
  return hints
}

function copy<K extends keyof MatchingHints>(to: Mutable<MatchingHints>, from: MatchingHints, key: K): void {
  to[key] = from[key] as MatchingHints[K]
}
