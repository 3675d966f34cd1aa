import type { Signal } from '@shoal/protocol'

/** Where a seeder is dialled without signalling, as its ready line says it. */
export interface DirectAddress {
  readonly host: string
  readonly port: number
  readonly fingerprint: string
}

/** To a process of viewers, or to the bare sender. */
export type Command =
  /** Viewers of the seeder at `direct`, who know of `segments` segments. */
  | {
      readonly type: 'join'
      readonly viewers: number
      readonly direct: DirectAddress
      readonly segments: number
    }
  /** Bare ends, numbered from `first`. */
  | { readonly type: 'bare'; readonly first: number; readonly viewers: number }
  | { readonly type: 'signal'; readonly end: number; readonly signal: Signal }
  | { readonly type: 'go' }
  | { readonly type: 'read' }

export type Reply =
  /** One more connection is open. */
  | { readonly type: 'open' }
  | { readonly type: 'signal'; readonly end: number; readonly signal: Signal }
  | {
      readonly type: 'reading'
      readonly bytes: number
      readonly missedDeadlines: number
      readonly asked: number
    }
  | { readonly type: 'failed'; readonly error: string }

/** Bytes of one segment: 4 s at 2 Mbit/s. */
export const SEGMENT_BYTES = 1_000_000
export const SEGMENT_MS = 4_000

/** Each viewer asks for so many at a time, as a player's prefetch does. */
export const AT_ONCE = 3

export const CONTENT_ID = 'https://bench.test/vod/v.m3u8'
