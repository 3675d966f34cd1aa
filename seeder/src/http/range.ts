import type { ByteSpan } from '@shoal/protocol'

/**
 * Reads a Range header (RFC 9110 section 14.1.2).
 *
 * @param total bytes in the resource, or null where it is not known; a range that then does not name
 *   its own end ends at `known`
 * @param known one past the last byte that is here
 * @returns null where there is no range to heed: none, several, or another unit
 */
export function parseRange(
  header: string | undefined,
  total: number | null,
  known: number,
): ByteSpan | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (match === null) return null
  const [, first = '', last = ''] = match
  if (first === '') {
    if (last === '' || total === null) return null
    const length = Math.min(Number(last), total)
    return length === 0 ? 'unsatisfiable' : { start: total - length, end: total }
  }
  const start = Number(first)
  const end = last === '' ? known : Math.min(Number(last) + 1, total ?? Number.MAX_SAFE_INTEGER)
  if (last !== '' && Number(last) < start) return null
  return start < end ? { start, end } : 'unsatisfiable'
}
