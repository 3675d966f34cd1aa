import type { Random } from '../ports/clock.js'

/**
 * A reproducible source of chance: xoshiro128** (Blackman and Vigna, 2018), its state filled by
 * splitmix32 from the seed. The same seed gives the same numbers on every platform.
 *
 * @param seed any number; its lowest 32 bits count
 */
export function seededRandom(seed: number): Random {
  let mix = seed | 0
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) | 0
    let word = mix ^ (mix >>> 16)
    word = Math.imul(word, 0x21f0aaad)
    word ^= word >>> 15
    word = Math.imul(word, 0x735a2d97)
    return word ^ (word >>> 15)
  }
  let a = next32()
  let b = next32()
  let c = next32()
  let d = next32()
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return (scrambled >>> 0) / 2 ** 32
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
