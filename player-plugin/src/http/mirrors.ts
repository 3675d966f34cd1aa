import type { ByteSpan } from '@shoal/protocol'
import { rangeHeader } from './place-response.js'
import { createStreamingOrigin } from './streaming-origin.js'

/** A mirror's time to its next bytes, and to the last one, in milliseconds: the player waits meanwhile. */
const SILENCE_MS = 2_500
const LOAD_MS = 8_000

/** Mirrors that are asked for one file at most. */
const MAX_TRIES = 2

/** One that failed is left alone for so long, in milliseconds. */
const PAUSE_MS = 30_000

/** Paused mirrors remembered at most: a tracker names four at a time. */
const MAX_PAUSED = 16

export interface MirrorSource {
  /** Playlists of the title at seeders, as the tracker names them. */
  playlists(): readonly string[]
  /** The title's playlist at the origin. */
  manifestUrl(): string | null
}

export interface MirrorRequest {
  /** At the origin. */
  readonly url: string
  /** Part of it, or null for all. */
  readonly range: ByteSpan | null
  /** A longer one is not taken. */
  readonly maxBytes: number
  /** It is no media: text is what is wanted. */
  readonly text: boolean
  readonly signal: AbortSignal
  /** Whether the bytes are what is wanted: nobody vouches for a mirror. */
  accepts(bytes: Uint8Array): boolean | Promise<boolean>
}

/** A file from a mirror; times of `performance.now()`. */
export interface Mirrored {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly timing: { readonly start: number; readonly first: number; readonly end: number }
}

/** Seeders' HTTP addresses, for files that the origin does not give. */
export class Mirrors {
  readonly #source: MirrorSource
  readonly #pausedUntil = new Map<string, number>()

  constructor(source: MirrorSource) {
    this.#source = source
  }

  /** False where it makes no sense to `load`. */
  get known(): boolean {
    return this.#source.playlists().length > 0
  }

  /** The file from the first mirror that has it, or null. Rejects only where `accepts` does. */
  async load(request: MirrorRequest): Promise<Mirrored | null> {
    let tries = 0
    for (const playlist of this.#source.playlists()) {
      const url = mirrorUrl(request.url, this.#source.manifestUrl() ?? '', playlist)
      if (url === null || performance.now() < (this.#pausedUntil.get(playlist) ?? 0)) continue
      if (tries++ === MAX_TRIES) break
      const mirrored = await read(url, request)
      if (mirrored === 'not-there') continue
      if (mirrored !== null && (await request.accepts(mirrored.bytes))) return mirrored
      if (request.signal.aborted) break
      if (this.#pausedUntil.size >= MAX_PAUSED) this.#pausedUntil.clear()
      this.#pausedUntil.set(playlist, performance.now() + PAUSE_MS)
    }
    return null
  }
}

/**
 * Where a mirror has a file of the origin: beside its playlist what lies beside the title's, else under the
 * file's whole path. Without the query, which may hold a viewer's token. Null where that would be a step
 * down from https to http.
 */
export function mirrorUrl(url: string, manifestUrl: string, playlist: string): string | null {
  if (![url, manifestUrl, playlist].every((text) => URL.canParse(text))) return null
  const { protocol, origin, pathname } = new URL(url)
  if (protocol === 'https:' && new URL(playlist).protocol !== protocol) return null
  const folder = new URL('.', manifestUrl)
  const beside = origin === folder.origin && pathname.startsWith(folder.pathname)
  return new URL(`./${pathname.slice(beside ? folder.pathname.length : 1)}`, playlist).href
}

/** Null where the mirror does not work, or has something else. */
function read(
  url: string,
  { range, maxBytes, text, signal }: MirrorRequest,
): Promise<Mirrored | 'not-there' | null> {
  return new Promise((resolve) => {
    const chunks: Uint8Array<ArrayBuffer>[] = []
    const start = performance.now()
    let first = start
    let size = 0
    const origin = createStreamingOrigin({
      range,
      text,
      firstByteTimeoutMs: SILENCE_MS,
      loadTimeoutMs: LOAD_MS,
      // Nothing of the viewer's goes to a mirror, and it leads nowhere else.
      request: (asked, abort) =>
        new Request(url, {
          credentials: 'omit',
          redirect: 'error',
          referrerPolicy: 'no-referrer',
          headers: asked === null ? {} : { Range: rangeHeader(asked) },
          signal: abort,
        }),
    })
    const cancel = origin.fetch(null, {
      onResponse: () => {
        first = performance.now()
      },
      onData: (_offset, bytes) => {
        size += bytes.byteLength
        if (size > maxBytes) return stop()
        chunks.push(bytes as Uint8Array<ArrayBuffer>)
      },
      onDone: (doubtful) => {
        if (doubtful) return resolve(null)
        void new Blob(chunks).arrayBuffer().then((buffer) => {
          const timing = { start, first, end: performance.now() }
          resolve({ bytes: new Uint8Array(buffer), timing })
        })
      },
      onError: ({ kind }) => resolve(kind === 'http-status' ? 'not-there' : null),
    })
    const stop = () => {
      cancel()
      resolve(null)
    }
    signal.addEventListener('abort', stop)
  })
}
