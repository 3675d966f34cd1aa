import type { Logger } from '../log.js'
import { type MirrorParts, serveMirror } from './mirror.js'
import { type Handler, type HttpServer, listen } from './server.js'

export interface ServeParts extends MirrorParts {
  readonly port: number
  readonly host: string
  readonly log: Logger
  /** What `/health` answers. */
  readonly health: () => object
}

/**
 * Serves `/health`, and everything else from what is held.
 *
 * @throws SeederError (`port-in-use`, `listen-failed`)
 */
export async function serve({ port, host, log, health, ...mirror }: ServeParts): Promise<HttpServer> {
  const handler: Handler = async (request, response) => {
    if (request.url?.split('?')[0] !== '/health') {
      await serveMirror(mirror, request, response)
      return
    }
    response.writeHead(200, {
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
    })
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(health()))
  }
  return await listen(port, host, handler, log)
}
