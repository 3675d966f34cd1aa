/** First and last byte, both included. */
export interface Span {
  readonly first: number
  readonly last: number
}

/**
 * Reads a Range header (RFC 9110, section 14) for a body of `size` bytes.
 *
 * @returns the span; `unsatisfiable`; or `null` for the whole body, which is also the answer to several
 *   ranges at once and to what is not understood
 */
export function parseRange(header: string | undefined, size: number): Span | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match) return null
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return null
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return null
  return first >= size ? 'unsatisfiable' : { first, last }
}
