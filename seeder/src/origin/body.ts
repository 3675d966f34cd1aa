import { type ByteSpan, MAX_SEGMENT_BYTES } from '@shoal/protocol'
import { OriginFailure, shownUrl } from './origin.js'

/**
 * The whole body of a response.
 *
 * @param progress called with every chunk
 * @throws OriginFailure where it is longer than `limit`, or not as long as its header says
 */
export async function readBody(response: Response, limit: number, progress: () => void): Promise<Uint8Array> {
  const announced = announcedLength(response)
  if (announced !== null && announced > limit) throw tooLarge(response.url, announced)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bodyOf(response)) {
    progress()
    size += chunk.byteLength
    if (size > limit) throw tooLarge(response.url, size)
    chunks.push(chunk)
  }
  if (announced !== null && announced !== size) {
    throw new OriginFailure(
      'bad-response',
      `${shownUrl(response.url)} ended after ${size} of ${announced} bytes`,
    )
  }
  return joined(chunks, size)
}

/**
 * The bytes `span` of a body; what lies behind it is not read.
 *
 * @throws OriginFailure where the body ends before the span does
 */
export async function readSpan(
  response: Response,
  span: ByteSpan,
  progress: () => void,
): Promise<Uint8Array> {
  const size = span.end - span.start
  if (size > MAX_SEGMENT_BYTES) throw tooLarge(response.url, size)
  const bytes = new Uint8Array(size)
  let at = 0
  for await (const chunk of bodyOf(response)) {
    progress()
    const from = Math.max(0, span.start - at)
    const to = Math.min(chunk.byteLength, span.end - at)
    if (to > from) bytes.set(chunk.subarray(from, to), at + from - span.start)
    at += chunk.byteLength
    if (at >= span.end) return bytes
  }
  throw new OriginFailure('bad-response', `${shownUrl(response.url)} ended ${span.end - at} bytes too early`)
}

/** Null where it is not known, or counts the bytes of a content coding that `fetch` has undone. */
function announcedLength(response: Response): number | null {
  const coding = response.headers.get('content-encoding') ?? 'identity'
  const text = response.headers.get('content-length')
  return text === null || coding !== 'identity' ? null : Number(text)
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* response.body
}

function tooLarge(url: string, size: number): OriginFailure {
  return new OriginFailure('too-large', `${shownUrl(url)} has ${size} bytes or more`)
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
