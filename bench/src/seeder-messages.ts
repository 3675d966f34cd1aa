import type { Signal } from '@shoal/protocol'

/** Where a seeder is dialled without signalling, as its ready line says it. */
export interface DirectAddress {
  readonly host: string
  readonly port: number
  readonly fingerprint: string
}

/** To a process of viewers, or to the bare sender. */
export type Command =
  /** Viewers of the seeder at `direct`, numbered from `first`, of so many in all. */
  | {
      readonly type: 'join'
      readonly first: number
      readonly viewers: number
      readonly of: number
      readonly direct: DirectAddress
      readonly play: Play
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
      /** Payload bytes that came twice, or in vain. */
      readonly wasted: number
    }
  | { readonly type: 'failed'; readonly error: string }

/** A title, looped over, and how its viewers take it. */
export interface Play {
  readonly segments: number
  readonly segmentMs: number
  readonly segmentBytes: number
  /**
   * Segments asked for at a time, as fast as they come; or null: one segment after the other in real time,
   * each a segment's duration before it is to be there, the viewers' starts spread over one segment.
   */
  readonly atOnce: number | null
}

/** 2 Mbit/s; three segments at a time, as a player's prefetch. */
export const FLAT_OUT: Play = { segments: 16, segmentMs: 4_000, segmentBytes: 1_000_000, atOnce: 3 }

/** 1 Mbit/s. */
export const STREAM: Play = { segments: 16, segmentMs: 4_000, segmentBytes: 500_000, atOnce: null }

export const CONTENT_ID = 'https://bench.test/vod/v.m3u8'
