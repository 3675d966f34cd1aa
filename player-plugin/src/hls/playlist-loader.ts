import type Hls from 'hls.js'
import type {
  HlsConfig,
  LevelDetails,
  LoaderCallbacks,
  LoaderConfiguration,
  PlaylistLoaderConstructor,
  PlaylistLoaderContext,
} from 'hls.js'
import type { Mirrors } from '../http/mirrors.js'
import { rescuing } from './rescue.js'

/** Failures in a row from which on the origin counts as down: hls.js tries again by itself after one. */
const MIN_FAILURES = 2

/** Longest playlist from a mirror, in bytes: a day of two-second segments under long names. */
const MAX_PLAYLIST_BYTES = 8 * 1024 * 1024

/** Hosts of playlists remembered at most. */
const MAX_HOSTS = 64

/** Beginnings of absolute URLs, and what URL parsers take for one; a tab may hide it (URL Standard). */
const ABSOLUTE = /(https?:[\\/]*|[\\/]{2,})[^\s",\\/]*|\t/gi

type Callbacks = LoaderCallbacks<PlaylistLoaderContext>

/**
 * The class that goes into `hls.config.pLoader`, where playlists need no signature: it takes a live media
 * playlist from a seeder's HTTP address while the origin is down. Everything else is the delegate's.
 *
 * A mirror's playlist goes on where the last one ended, does not end the stream, and names no host that the
 * origin's playlists did not name.
 *
 * @param Delegate the loader that would serve without Shoal
 */
export function createPlaylistLoader(
  hls: Hls,
  mirrors: Mirrors,
  Delegate: PlaylistLoaderConstructor,
): PlaylistLoaderConstructor {
  const hosts = new Set<string>()
  let failures = 0
  return class ShoalPlaylistLoader extends Delegate {
    readonly #own: boolean
    readonly #abort = new AbortController()

    constructor(config: HlsConfig) {
      super(config)
      // Players for interstitials and previews that copy a config copy this loader with it.
      this.#own = config === hls.config
    }

    override load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: Callbacks): void {
      const details = this.#own ? detailsOf(hls, context) : undefined
      const { signal } = this.#abort
      const accepts = (bytes: Uint8Array) => continues(textOf(bytes), details, hosts)
      const request = {
        url: context.url,
        range: null,
        maxBytes: MAX_PLAYLIST_BYTES,
        text: true,
        signal,
        accepts,
      }
      const rescued = rescuing(callbacks, {
        context,
        stats: this.stats,
        signal,
        load: () =>
          details?.live && ++failures >= MIN_FAILURES && mirrors.known ? mirrors.load(request) : null,
        // As after a redirect: relative URLs are the origin's, or nobody's.
        respond: (bytes) => ({ url: details?.url ?? context.url, data: textOf(bytes), code: 200 }),
      })
      super.load(context, config, {
        ...rescued,
        onSuccess: (response, ...rest) => {
          failures = 0
          for (const name of hostsOf(String(response.data))) if (hosts.size < MAX_HOSTS) hosts.add(name)
          callbacks.onSuccess(response, ...rest)
        },
      })
    }

    override abort(): void {
      this.#abort.abort()
      super.abort()
    }

    override destroy(): void {
      this.#abort.abort()
      super.destroy()
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** What hls.js knows of the track that it loads a playlist of. */
function detailsOf(hls: Hls, { type, level, id }: PlaylistLoaderContext): LevelDetails | undefined {
  if (type === ('level' as typeof type)) return hls.levels[level ?? -1]?.details
  if (type === ('audioTrack' as typeof type)) return hls.audioTracks.find((track) => track.id === id)?.details
  return undefined
}

function continues(text: string, last: LevelDetails | undefined, hosts: ReadonlySet<string>): boolean {
  const sequence = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(text)?.[1] ?? 0)
  if (last === undefined || !text.startsWith('#EXTM3U') || text.includes('#EXT-X-ENDLIST')) return false
  const follows = sequence >= last.startSN && sequence <= last.endSN + 1
  return follows && hostsOf(text).every((name) => hosts.has(name))
}

function hostsOf(text: string): readonly string[] {
  return (text.match(ABSOLUTE) ?? []).map((name) => name.toLowerCase())
}
