/** Branded scalars: a number with a unit cannot be handed in where another unit is meant. */

declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

/** Milliseconds, as a duration or since an epoch that the clock's owner chose. */
export type Millis = Branded<number, 'Millis'>

/** A 20-byte peer id as the WebTorrent protocol writes it: 20 characters, U+0000 to U+00FF. */
export type PeerId = Branded<string, 'PeerId'>

/** A 20-byte info hash in the same notation: the first 20 bytes of a swarm id. */
export type InfoHash = Branded<string, 'InfoHash'>

/** 32-bit id of a track (rendition or alternate media) inside its swarm; see `trackIdOf`. */
export type TrackId = Branded<number, 'TrackId'>

/** Brands a number of milliseconds. */
export function millis(value: number): Millis {
  return value as Millis
}

/** Half-open span of bytes, `start` included, `end` excluded. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}
