/** Smallest top of the rate axis, in bit/s: an idle swarm's noise is not blown up to full height. */
const SMALLEST_TOP = 1_000_000

/** Room above the highest curve. */
const HEADROOM = 1.04

/** Steps of a decade that give round ticks. */
const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10] as const

/** A round number at or above `value`, so that an axis keeps its top while the curve moves below it. */
export function roundTop(value: number): number {
  if (!(value > 0)) return 1
  const decade = 10 ** Math.floor(Math.log10(value))
  const step = STEPS.find((candidate) => candidate * decade >= value) ?? 10
  return step * decade
}

/** Top of the rate axis in bit/s for the largest sum of rates, with room above the curve. */
export function rateTop(largest: number): number {
  return Math.max(SMALLEST_TOP, roundTop(largest * HEADROOM))
}

/** Top of the viewers' axis: at least four, for ticks are whole viewers. */
export function countTop(largest: number): number {
  return Math.max(4, Math.ceil(roundTop(largest * HEADROOM)))
}
