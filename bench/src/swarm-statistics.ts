/** Of those that have the value. Null where none has. */
export interface Spread {
  readonly median: number | null
  readonly p95: number | null
  readonly max: number | null
}

/** By nearest rank. */
export function spread(values: readonly (number | null)[]): Spread {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b)
  const rank = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null
  return { median: rank(0.5), p95: rank(0.95), max: rank(1) }
}

/** 0: all alike; 1: one has everything. */
export function gini(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const total = sum(sorted)
  if (total === 0) return 0
  const weighted = sum(sorted.map((value, index) => (index + 1) * value))
  return (2 * weighted) / (sorted.length * total) - (sorted.length + 1) / sorted.length
}

/** Of a part in the part and the rest, 0 where there is neither. */
export function share(part: number, rest: number): number {
  return part + rest === 0 ? 0 : part / (part + rest)
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
