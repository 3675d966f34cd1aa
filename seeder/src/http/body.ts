import type { ServerResponse } from 'node:http'
import type { ByteSpan } from '@shoal/protocol'
import type { StoredBytes } from '../store/segment-store.js'

/** A part of the origin's resource that is here. */
export interface BodySpan {
  readonly start: number
  readonly end: number
  readonly stored: StoredBytes
}

/** Bytes read at once: enough to keep a disk busy, little enough for a thousand slow readers. */
const READ_BYTES = 256 * 1024

/** The span that begins at the first byte of `wanted`, and those after it; null where bytes are missing. */
export function covering(spans: readonly BodySpan[], wanted: ByteSpan): BodySpan[] | null {
  const parts: BodySpan[] = []
  let at = wanted.start
  for (const span of spans) {
    if (span.end <= at) continue
    if (span.start > at) return null
    parts.push(span)
    at = span.end
    if (at >= wanted.end) return parts
  }
  return null
}

/** Sends the bytes `wanted` as fast as the reader takes them; ends the connection where they are gone. */
export async function sendSpans(
  response: ServerResponse,
  parts: readonly BodySpan[],
  wanted: ByteSpan,
): Promise<void> {
  let at = wanted.start
  for (const { start, end, stored } of parts) {
    const partEnd = Math.min(end, wanted.end)
    while (at < partEnd) {
      const next = Math.min(at + READ_BYTES, partEnd)
      const bytes = await stored.read(at - start, next - start)
      if (bytes === null || response.destroyed) {
        response.destroy()
        return
      }
      at = next
      if (response.write(bytes)) continue
      await drained(response)
      if (response.destroyed) return
    }
  }
  response.end()
}

/** Resolves once the response takes more, or never will. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
