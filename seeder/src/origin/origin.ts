import type { Millis } from '@shoal/protocol'
import type { ResourceRef } from '../source/playlist.js'

/** What a cache compares with to answer "unchanged" (RFC 9110 section 8.8). Opaque to the caller. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

export type PlaylistLoad =
  | {
      readonly kind: 'loaded'
      readonly text: string
      /** Where it came from after redirects: the base of its relative URIs. */
      readonly url: string
      readonly validators: Validators
      /** Media type as the origin says it, or empty. */
      readonly contentType: string
      /** Which of several origins it came from: theirs may be a little behind each other. */
      readonly site: number
    }
  | { readonly kind: 'unchanged' }

/**
 * Asks for a playlist that has this segment, or this part of it, and is answered when it is published
 * (RFC 8216bis section 6.2.5.2).
 */
export interface BlockingReload {
  readonly sequence: number
  /** Null for the whole segment. */
  readonly part: number | null
  /** How long the origin may take until it is published. */
  readonly hold: Millis
}

/** Where playlists and segments come from: an HTTP server, or a folder. */
export interface Origin {
  /**
   * @param validators of the load before, to be told of no change
   * @param blocking only to an origin that offers it
   * @throws OriginFailure
   */
  loadPlaylist(
    url: string,
    validators: Validators | null,
    signal: AbortSignal,
    blocking?: BlockingReload | null,
  ): Promise<PlaylistLoad>
  /**
   * All bytes of a segment: of the range where there is one, else of the whole resource.
   *
   * @throws OriginFailure
   */
  loadSegment(source: ResourceRef, signal: AbortSignal): Promise<Uint8Array>
  /**
   * A live stream's segments last so long: an origin that sends nothing for longer than that is of no use
   * to it, and is given up sooner.
   */
  pace?(targetDuration: Millis): void
  /** What comes from here is well-formed and of no use: another origin is to be asked, if there is one. */
  mistrust?(url: string, reason: string): void
}

export type OriginFailureKind =
  /** No answer: refused, reset, unknown host. */
  | 'unreachable'
  /** Connected, and then nothing for too long. */
  | 'silent'
  /** An answer with an HTTP status that is no success. */
  | 'status'
  /** An answer that is not what was asked for: too short, another range. */
  | 'bad-response'
  /** A page in place of media or of a playlist. */
  | 'not-media'
  | 'too-large'
  /** The caller gave up. */
  | 'aborted'

/** Why something could not be had from the origin. */
export class OriginFailure extends Error {
  override readonly name = 'OriginFailure'

  constructor(
    readonly kind: OriginFailureKind,
    message: string,
    /** HTTP status where there was one, else 0. */
    readonly status = 0,
    /** How long the origin asks to wait, in milliseconds (Retry-After), or null. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message)
  }

  /** True where the origin as a whole is at fault, and not this one resource. */
  get originDown(): boolean {
    return this.kind === 'unreachable' || this.kind === 'silent' || this.status >= 500 || this.status === 429
  }
}

/** A URL as the log and `/health` may show it: tokens travel in queries and user names. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
