import type { ByteSpan } from '@shoal/protocol'

/** Chunks in a list of ranges that are apart. */
export function chunkTotal(chunks: readonly ByteSpan[]): number {
  let total = 0
  for (const range of chunks) total += range.end - range.start
  return total
}

/** What of the ranges lies within a piece of `chunkCount` chunks. */
export function clipRanges(ranges: readonly ByteSpan[], chunkCount: number): ByteSpan[] {
  return ranges
    .map((range) => ({ start: range.start, end: Math.min(range.end, chunkCount) }))
    .filter((range) => range.start < range.end)
}

/** Union of two lists of ranges, ascending and apart. */
export function mergeRanges(a: readonly ByteSpan[], b: readonly ByteSpan[]): ByteSpan[] {
  const merged: { start: number; end: number }[] = []
  for (const range of [...a, ...b].sort((x, y) => x.start - y.start)) {
    const last = merged[merged.length - 1]
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end)
    else merged.push({ ...range })
  }
  return merged
}
