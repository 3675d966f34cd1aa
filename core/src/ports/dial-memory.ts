import type { DialAddress } from '@shoal/protocol'

/**
 * Remembers where seeders of this swarm were reached, from one page load to the next. What it tells is
 * checked by nobody but the seeder's certificate; it forgets by itself what is old. No method throws.
 */
export interface DialMemory {
  /** Addresses that worked not long ago, the latest first. */
  recall(): readonly DialAddress[]
  /** A seeder was reached there now. */
  worked(address: DialAddress): void
  /** Nobody was reached there, several times. */
  failed(address: DialAddress): void
}
