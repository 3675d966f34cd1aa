import type { PeerId } from '@shoal/protocol'

/**
 * Who counts as one voice: an autonomous system where it is known, or else a /24 or /48, so that
 * neighbours of one network are never several; as opaque values.
 */
export type Witness = number | string

/** Lists of one segment that are told apart at most: honest ones are one, and two at a change. */
const MAX_LISTS = 8

/** Witnesses of one segment that are counted at most: what they say is clear by then. */
const MAX_WITNESSES = 32

/** Peers that wait for an attestation of one list, or that answer for it, at most. */
const MAX_REPORTERS = 32

/** Networks that have to speak against a list before anybody is blamed for it, as for a ban. */
export const NETWORKS_FOR_BLAME = 3

/** One list of hashes, and who says what of it. Short lists: they cost a fraction of what sets do. */
export interface Candidate {
  readonly digest: string
  /** Networks that loaded it. */
  readonly pro: Witness[]
  /** Networks whose own check found it wrong. */
  readonly con: Witness[]
  /** Peers that say that they loaded it. */
  readonly reporters: PeerId[]
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
  private readonly candidates: Candidate[] = []
  /** Networks that said two things. */
  private readonly split: Witness[] = []

  /** A peer of this network has loaded the segment: null for one that is not here. @returns false when that adds nothing */
  vote(digest: string, witness: Witness, peer: PeerId | null): boolean {
    const candidate = this.candidate(digest)
    if (candidate === null) return false
    const isSplit = this.split.includes(witness)
    const before = this.candidates.find(({ pro }) => pro.includes(witness))
    if (before === undefined && !isSplit && this.voices >= MAX_WITNESSES) return false
    if (peer !== null) add(candidate.reporters, peer, MAX_REPORTERS)
    if (isSplit || before === candidate) return false
    if (before === undefined) {
      candidate.pro.push(witness)
    } else {
      before.pro.splice(before.pro.indexOf(witness), 1)
      this.split.push(witness)
    }
    return true
  }

  /** A peer of this network has checked the list against the origin. @returns as `vote` */
  object(digest: string, witness: Witness): boolean {
    const candidate = this.candidate(digest)
    return candidate !== null && add(candidate.con, witness, MAX_WITNESSES)
  }

  /** Peers that say that they loaded this list. */
  reportersOf(digest: string): readonly PeerId[] {
    return this.candidates.find((candidate) => candidate.digest === digest)?.reporters ?? []
  }

  /** @param networks that have to agree */
  outcome(networks: number): Outcome {
    let agreed: Candidate | null = null
    let contradicted = false
    let found = false
    const wrong: string[] = []
    for (const candidate of this.candidates) {
      const { pro, con, digest } = candidate
      if (pro.length === 0 && con.length === 0) continue
      const dissent = this.dissentFrom(candidate)
      if (dissent > 0) contradicted = true
      if (pro.length >= networks && pro.length > 2 * dissent) agreed = candidate
      if (dissent < NETWORKS_FOR_BLAME || dissent <= pro.length) continue
      wrong.push(digest)
      if (con.length > 0) found = true
    }
    // A minority's word against what most have loaded changes nothing, unless checks have found its list.
    return { agreed, disputed: contradicted && (agreed === null || found), wrong }
  }

  /** Networks of each side: what one of them says, another contradicts. */
  sides(): (readonly Witness[])[] {
    return this.candidates.flatMap(({ pro, con }) => [pro, con]).filter((side) => side.length > 0)
  }

  private get voices(): number {
    return this.candidates.reduce((sum, { pro }) => sum + pro.length, this.split.length)
  }

  /** Networks that contradict a list: by a check, or by having loaded another. */
  private dissentFrom(candidate: Candidate): number {
    const dissent = new Set(candidate.con.filter((witness) => !candidate.pro.includes(witness)))
    for (const { digest, pro } of this.candidates) {
      if (digest !== candidate.digest) for (const witness of pro) dissent.add(witness)
    }
    return dissent.size
  }

  private candidate(digest: string): Candidate | null {
    const { candidates } = this
    const known = candidates.find((candidate) => candidate.digest === digest)
    if (known !== undefined) return known
    if (candidates.length >= MAX_LISTS && !this.dropWeakest()) return null
    const fresh: Candidate = { digest, pro: [], con: [], reporters: [], signature: null }
    candidates.push(fresh)
    return fresh
  }

  /** Makes room where a list has nobody's voice and one objection at most: one network can make many. */
  private dropWeakest(): boolean {
    const at = this.candidates.findIndex(({ pro, con }) => pro.length === 0 && con.length <= 1)
    if (at >= 0) this.candidates.splice(at, 1)
    return at >= 0
  }
}

/** Adds what is not there yet, as long as there is room. @returns true when it was added */
function add<T>(list: T[], value: T, max: number): boolean {
  if (list.length >= max || list.includes(value)) return false
  list.push(value)
  return true
}
