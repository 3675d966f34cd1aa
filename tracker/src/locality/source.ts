import type { Address } from './address.js'

/** What a source knows of an address; undefined is unknown. */
export interface Found {
  /** Autonomous system number. */
  readonly as?: number | undefined
  /** ISO 3166-1 code, two capital letters. */
  readonly country?: string | undefined
  /** Two capital letters: AF, AN, AS, EU, NA, OC, SA. */
  readonly continent?: string | undefined
  /** City or metropolitan area, any name that is the same for the same area. */
  readonly metro?: string | undefined
  /** Name in an ALTO network map. */
  readonly pid?: string | undefined
}

/** One file of places, read. */
export interface Source {
  /** Null for an address that it does not know. Never throws. */
  find(address: Address): Found | null
}

/** A file of places cannot be used. The message is one line that names the line or the key. */
export class LocalityError extends Error {
  override readonly name = 'LocalityError'
}

const LETTERS = /^[A-Za-z]{2}$/

/** Two letters in capitals; undefined for anything else. */
export function twoLetters(value: unknown): string | undefined {
  return typeof value === 'string' && LETTERS.test(value) ? value.toUpperCase() : undefined
}

/** Largest autonomous system number, RFC 6793. */
const MAX_AS = 2 ** 32 - 1

/** An AS number from 1 (0 is reserved, RFC 7607); undefined for anything else. */
export function asNumber(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_AS
    ? (value as number)
    : undefined
}
