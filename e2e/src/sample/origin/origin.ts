import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findContent } from './content.js'
import { Faults } from './faults.js'
import { listen, stopListening } from './listening.js'
import { type LiveOptions, LiveStream } from './live.js'
import { readLoopSource } from './loop-source.js'
import { LowLatencyStream } from './low-latency.js'
import { misbehave } from './misbehave.js'
import { RequestLog } from './request-log.js'
import { type Exchange, refusesToken, respondContent, respondEmpty } from './respond.js'

export interface OriginOptions {
  /** Folder whose content is served; the samples' root gives `/vod/master.m3u8` and so on. */
  readonly root: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** The stream at `/live/master.m3u8`, and in parts at `/low-latency/v0/index.m3u8`; `from` is the VOD's folder below the root, `vod` by default. */
  readonly live?: (LiveOptions & { readonly from?: string }) | false
  /** Cache-Control of files. Default `no-store`: every fetch reaches the origin and is counted. */
  readonly cacheControl?: string
  /** Unix time in ms, for the live stream. */
  readonly now?: () => number
  /** 0 to 1, for failures with a rate. */
  readonly random?: () => number
}

export interface Origin {
  /** Without a slash at the end. */
  readonly url: string
  readonly port: number
  readonly requests: RequestLog
  readonly faults: Faults
  /** The live stream's state; `null` without one. */
  readonly live: LiveStream | null
  /** Cuts all connections and refuses new ones, until `up`. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts an HTTP origin for tests, benchmarks and the demonstration.
 *
 * @throws {ListenError} when the port cannot be had
 */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const { root, host = '127.0.0.1', now = Date.now, cacheControl = 'no-store' } = options
  const { live: liveOptions = {} } = options
  const liveFrom = liveOptions === false ? '' : (liveOptions.from ?? 'vod')
  const source = liveOptions === false ? null : await readLoopSource(join(root, liveFrom))
  const live = source && new LiveStream(source, now(), liveOptions || {})
  const lowLatency = source && new LowLatencyStream(source, join(root, liveFrom), now)
  const requests = new RequestLog()
  const faults = new Faults(options.random ?? Math.random)

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = decodePath(mark < 0 ? url : url.slice(0, mark))
    const entry = requests.open({
      method: request.method ?? '',
      path: path ?? url,
      query: mark < 0 ? '' : url.slice(mark + 1),
      range: request.headers.range ?? null,
      agent: request.headers['user-agent'] ?? '',
    })
    response.once('finish', () => {
      entry.complete = true
    })
    const exchange: Exchange = { request, response, entry, log: requests, faults, cacheControl }

    if (faults.latencyMs > 0) await sleep(faults.latencyMs)
    if (response.destroyed) return
    const failure = faults.failureFor(entry.path)
    if (failure === 'hang') return
    if (failure === 'reset') return void response.destroy()
    if (typeof failure === 'number') return respondEmpty(exchange, failure)
    if (request.method === 'OPTIONS') return respondEmpty(exchange, 204)
    if (refusesToken(exchange)) return respondEmpty(exchange, 403)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return respondEmpty(exchange, 405, { Allow: 'GET, HEAD, OPTIONS' })
    }
    if (path === null) return respondEmpty(exchange, 400)
    const content =
      (await lowLatency?.find(path, entry.query)) ??
      (await findContent(path, { root, liveFrom, live, now: now() }))
    if (content === null) return respondEmpty(exchange, 404)
    if (failure === null) await respondContent(exchange, content)
    else await misbehave(exchange, content, failure)
  }

  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error))
  })
  const port = await listen(server, options.port ?? 0, host)

  return {
    url: `http://${host}:${port}`,
    port,
    requests,
    faults,
    live,
    down: () => stopListening(server),
    up: async () => {
      if (!server.listening) await listen(server, port, host)
    },
    close: () => stopListening(server),
  }
}

/** `null` when it is not valid percent-encoding. */
function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}
