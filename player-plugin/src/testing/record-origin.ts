import type { OriginError, OriginFetcher } from '@shoal/core'
import type { ByteSpan } from '@shoal/protocol'

/** What one fetch of an origin delivered. */
export interface Recorded {
  readonly totals: (number | null)[]
  /** Bytes by offset of the segment. */
  readonly bytes: Map<number, number>
  readonly chunks: number
  readonly error: OriginError | null
}

/** Fetches to the end. */
export function recordOrigin(origin: OriginFetcher, span: ByteSpan | null): Promise<Recorded> {
  return new Promise((resolve) => {
    const totals: (number | null)[] = []
    const bytes = new Map<number, number>()
    let chunks = 0
    const end = (error: OriginError | null) => resolve({ totals, bytes, chunks, error })
    origin.fetch(span, {
      onResponse: (total) => totals.push(total),
      onData: (offset, data) => {
        chunks++
        for (const [i, byte] of data.entries()) bytes.set(offset + i, byte)
      },
      onDone: () => end(null),
      onError: end,
    })
  })
}

/** The bytes of a span, from first to last; throws where one is missing. */
export function spanOf(recorded: Recorded, start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => {
    const byte = recorded.bytes.get(start + i)
    if (byte === undefined) throw new Error(`byte ${start + i} is missing`)
    return byte
  })
}
