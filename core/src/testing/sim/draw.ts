import type { Random } from '../../ports/clock.js'

/**
 * Chance that is a function of what it is about: the same numbers give the same draw, whatever else
 * was drawn before. Uniform in [0, 1). The finaliser of MurmurHash3 over the words.
 */
export function drawOf(...words: number[]): number {
  let hash = 0x9e3779b9
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** A standard normal of two uniform numbers (Box and Muller, 1958). */
export function normalOf(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
}

/** A lognormal with this median and sigma. */
export function lognormal(median: number, sigma: number, random: Random): number {
  return median * Math.exp(sigma * normalOf(random(), random()))
}
