import type { Integrity, SwarmOptions } from '../runtime/swarm-api.js'

/** Which manifests of peers count now. */
export class Trust {
  level: Integrity

  constructor(integrity: SwarmOptions['integrity']) {
    this.level = integrity === 'auto' ? 'checked' : integrity
  }

  /** A manifest counts with a trusted signature only: what is loaded here is withheld until it has one. */
  get needsSignature(): boolean {
    return this.level === 'signed' || this.level === 'attested'
  }

  /** What peers sent is compared with the origin by sampling. */
  get checks(): boolean {
    return this.level === 'checked'
  }

  /** What was loaded whole is told to the tracker, which compares. */
  get reports(): boolean {
    return this.level === 'checked' || this.level === 'attested'
  }
}
