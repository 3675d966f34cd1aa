import { type Millis, millis } from '@shoal/protocol'

/** Entries at most, in a media playlist or a multivariant one: two days of 2 s segments are 86,400. */
const MAX_ENTRIES = 100_000
const MAX_VARIANTS = 1_000

/** Media playlists followed at most: each is loaded again and again. */
export const MAX_PLAYLISTS = 64

/** Bounds of what a playlist says, in seconds: durations set timers, and order fetches. */
const MAX_TARGET_SECONDS = 600
const MAX_DURATION_SECONDS = 3_600

/** Sequence numbers have 48 bits on the wire (docs/protocol.md). */
const MAX_SEQUENCE = 2 ** 48 - 1

/** Why a text is not even parsed, or null: the parser takes seconds for what is much larger than any title. */
export function sizeFault(text: string): string | null {
  if (countOf(text, '\n#EXTINF') > MAX_ENTRIES) return `it has more than ${MAX_ENTRIES} segments`
  const variants = countOf(text, '\n#EXT-X-STREAM-INF') + countOf(text, '\n#EXT-X-MEDIA:')
  return variants > MAX_VARIANTS ? `it has more than ${MAX_VARIANTS} variants and renditions` : null
}

/** False where the numbers of `count` segments from `first` on cannot be said on the wire. */
export function numbersFit(first: number, count: number): boolean {
  return Number.isInteger(first) && first >= 0 && first + count <= MAX_SEQUENCE
}

export function boundedTarget(seconds: number): Millis {
  return millis(Math.min(seconds, MAX_TARGET_SECONDS) * 1000)
}

export function boundedDuration(seconds: number): Millis {
  return millis(Math.min(Math.max(seconds, 0), MAX_DURATION_SECONDS) * 1000)
}

/** How often a text has a part, without taking it apart. */
function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++
  return count
}
