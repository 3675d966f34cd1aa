import type { PeerId } from '@shoal/protocol'

/**
 * Who counts as one voice: an autonomous system where it is known, or else a /24 or /48, so that
 * neighbours of one network are never several; as opaque values.
 */
export type Witness = number | string

/** Lists of one segment that are told apart at most: honest ones are one, and two at a change. */
const MAX_LISTS = 8

/** Witnesses of one segment that are counted at most: what they say is clear by then. */
const MAX_WITNESSES = 64

/** Peers that wait for an attestation of one list, or that answer for it, at most. */
const MAX_REPORTERS = 64

/** Networks that have to speak against a list before anybody is blamed for it, as for a ban. */
export const NETWORKS_FOR_BLAME = 3

/** One list of hashes, and who says what of it. */
export interface Candidate {
  readonly digest: string
  /** Networks that loaded it. */
  readonly pro: Set<Witness>
  /** Networks whose own check found it wrong. */
  readonly con: Set<Witness>
  /** Peers that say that they loaded it. */
  readonly reporters: Set<PeerId>
  /** The attestor's signature, once it has signed. */
  signature: string | null
}

/** What follows from the votes so far. */
export interface Outcome {
  /** Enough networks loaded this, and more than twice as many as say otherwise. */
  readonly agreed: Candidate | null
  /** They contradict each other, and neither side is much the larger. */
  readonly disputed: boolean
  /** Digests that at least three networks, and more than stand for them, contradict. */
  readonly wrong: readonly string[]
}

/**
 * What networks say of one segment. One network is one voice, however many peers it has; one that says
 * that it loaded two different lists is not heard.
 */
export class Ballot {
  private readonly candidates = new Map<string, Candidate>()
  private readonly voices = new Map<Witness, Candidate | 'split'>()

  /** A peer of this network has loaded the segment. @returns false when that adds nothing */
  vote(digest: string, witness: Witness, peer: PeerId): boolean {
    const candidate = this.candidate(digest)
    if (candidate === null) return false
    const before = this.voices.get(witness)
    if (before === undefined && this.voices.size >= MAX_WITNESSES) return false
    if (candidate.reporters.size < MAX_REPORTERS) candidate.reporters.add(peer)
    if (before === candidate || before === 'split') return false
    if (before === undefined) {
      this.voices.set(witness, candidate)
      candidate.pro.add(witness)
    } else {
      this.voices.set(witness, 'split')
      before.pro.delete(witness)
    }
    return true
  }

  /** A peer of this network has checked the list against the origin. @returns as `vote` */
  object(digest: string, witness: Witness): boolean {
    const candidate = this.candidate(digest)
    if (candidate === null || candidate.con.has(witness) || candidate.con.size >= MAX_WITNESSES) return false
    candidate.con.add(witness)
    return true
  }

  /** Peers that say that they loaded this list. */
  reportersOf(digest: string): Iterable<PeerId> {
    return this.candidates.get(digest)?.reporters ?? []
  }

  /** @param networks that have to agree */
  outcome(networks: number): Outcome {
    let agreed: Candidate | null = null
    let contradicted = false
    let found = false
    const wrong: string[] = []
    for (const candidate of this.candidates.values()) {
      const { pro, con, digest } = candidate
      if (pro.size === 0 && con.size === 0) continue
      const dissent = this.dissentFrom(candidate).size
      if (dissent > 0) contradicted = true
      if (pro.size >= networks && pro.size > 2 * dissent) agreed = candidate
      if (dissent < NETWORKS_FOR_BLAME || dissent <= pro.size) continue
      wrong.push(digest)
      if (con.size > 0) found = true
    }
    // A minority's word against what most have loaded changes nothing, unless checks have found its list.
    return { agreed, disputed: contradicted && (agreed === null || found), wrong }
  }

  /** Networks of each side: what one of them says, another contradicts. */
  sides(): ReadonlySet<Witness>[] {
    const sides: ReadonlySet<Witness>[] = []
    for (const { pro, con } of this.candidates.values()) {
      if (pro.size > 0) sides.push(pro)
      if (con.size > 0) sides.push(con)
    }
    return sides
  }

  private dissentFrom(candidate: Candidate): Set<Witness> {
    const dissent = new Set(candidate.con)
    for (const witness of candidate.pro) dissent.delete(witness)
    for (const other of this.candidates.values()) {
      if (other !== candidate) for (const witness of other.pro) dissent.add(witness)
    }
    return dissent
  }

  private candidate(digest: string): Candidate | null {
    const known = this.candidates.get(digest)
    if (known !== undefined) return known
    if (this.candidates.size >= MAX_LISTS && !this.dropWeakest()) return null
    const fresh = {
      digest,
      pro: new Set<Witness>(),
      con: new Set<Witness>(),
      reporters: new Set<PeerId>(),
      signature: null,
    }
    this.candidates.set(digest, fresh)
    return fresh
  }

  /** Makes room where a list has nobody's voice and one objection at most: one network can make many. */
  private dropWeakest(): boolean {
    for (const { digest, pro, con } of this.candidates.values()) {
      if (pro.size === 0 && con.size <= 1) return this.candidates.delete(digest)
    }
    return false
  }
}
