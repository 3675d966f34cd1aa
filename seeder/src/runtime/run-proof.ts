import type { ResourceRef } from '../source/playlist.js'
import type { Resource } from '../source/resource.js'
import type { Acquirer } from './acquirer.js'

/**
 * Finds out whether a live playlist without dates is of the run whose segments an earlier start has left:
 * the newest of them is fetched again. Where it is the same, so are the others, since the numbers of one
 * playlist are of one run, and another run has other bytes under the same number.
 */
export class RunProof {
  private result: Promise<boolean> | null = null

  constructor(
    private readonly acquirer: Acquirer,
    private readonly newest: Resource,
    private readonly from: () => ResourceRef,
  ) {}

  /** Whether what is stored is what is listed; fetches at the first call. */
  holds(signal: AbortSignal): Promise<boolean> {
    this.result ??= this.acquirer.prove(this.newest, this.from(), signal).catch(() => false)
    return this.result
  }
}
