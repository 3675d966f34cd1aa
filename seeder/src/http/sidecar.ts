import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeSidecar, sidecarOwner } from '@shoal/protocol'
import type { Library } from '../holdings/library.js'
import { matches } from './entity-tag.js'

/** Seconds that a cache may keep a sidecar: a live resource grows, and a seeder's key may be another tomorrow. */
const SIDECAR_AGE = 60

/**
 * Answers with the signed manifests of what is held of a resource, where the URL is that of its sidecar
 * (docs/protocol.md, "Sidecar"); false where it is not, or nothing is held.
 */
export function serveSidecar(
  library: Library,
  url: string,
  common: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const owner = sidecarOwner(url)
  const manifests = owner === null ? [] : library.spansOf(owner).flatMap((span) => span.manifests)
  if (manifests.length === 0) return false
  const body = encodeSidecar(manifests)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const headers = {
    ...common,
    'content-type': 'application/octet-stream',
    'cache-control': `public, max-age=${SIDECAR_AGE}`,
    etag,
  }
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end()
    return true
  }
  response.writeHead(200, { ...headers, 'content-length': body.byteLength })
  response.end(request.method === 'HEAD' ? undefined : body)
  return true
}
