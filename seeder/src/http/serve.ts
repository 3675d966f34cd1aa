import type { ServerResponse } from 'node:http'
import type { Logger } from '../log.js'
import type { Counters } from '../runtime/counters.js'
import type { SeederSnapshot } from '../runtime/snapshot.js'
import { METRICS_TYPE, metricsText } from './metrics.js'
import { type MirrorParts, serveMirror } from './mirror.js'
import { type Handler, type HttpServer, listen } from './server.js'

export interface ServeParts extends MirrorParts {
  readonly port: number
  readonly host: string
  readonly log: Logger
  /** What `/health` and `/metrics` tell. */
  readonly snapshot: () => SeederSnapshot
  readonly counters: Counters
}

/**
 * Serves `/health`, `/metrics`, and everything else from what is held.
 *
 * @throws SeederError (`port-in-use`, `listen-failed`)
 */
export async function serve(parts: ServeParts): Promise<HttpServer> {
  const { port, host, log, snapshot, counters, ...mirror } = parts
  const handler: Handler = async (request, response) => {
    count(counters, response)
    const path = request.url?.split('?')[0]
    const reports = request.method === 'GET' || request.method === 'HEAD'
    if (reports && path === '/health') {
      report(response, 'application/json', JSON.stringify(snapshot()))
    } else if (reports && path === '/metrics') {
      report(response, METRICS_TYPE, metricsText(snapshot()))
    } else {
      await serveMirror(mirror, request, response)
    }
  }
  return await listen(port, host, handler, log)
}

function report(response: ServerResponse, type: string, text: string): void {
  const headers = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' }
  response.writeHead(200, { 'content-type': type, ...headers }).end(text)
}

function count(counters: Counters, response: ServerResponse): void {
  counters.httpRequests++
  const { socket } = response
  const before = socket?.bytesWritten ?? 0
  response.once('close', () => {
    counters.httpBytes += (socket?.bytesWritten ?? 0) - before
  })
}
