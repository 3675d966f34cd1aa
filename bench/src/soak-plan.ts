import { seededRandom } from '@shoal/core/testing'

/** What strikes, and what it takes: see soak-faults.ts. */
export const FAULT_KINDS = [
  'origin-gone',
  'origin-errors',
  'origin-slow',
  'tracker-killed',
  'seeder-killed',
  'polluter',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export interface PlannedFault {
  readonly kind: FaultKind
  readonly fromMs: number
  readonly toMs: number
}

/** One viewer with its twin. */
export interface PlannedVisit {
  readonly comesMs: number
  readonly leavesMs: number
  readonly by: 'closing' | 'kill'
}

export interface Plan {
  readonly endsMs: number
  readonly visits: readonly PlannedVisit[]
  /** One after the other: which of them did what can be told. */
  readonly faults: readonly PlannedFault[]
}

/** One viewer stays from the first to the last second: its memory is looked at. */
const STAY_MS = { least: 20_000, most: 90_000 }
const ABSENCE_MS = { least: 1000, most: 8000 }
const KILLED_SHARE = 0.25
/** Nobody comes later than this before the end: a shorter visit shows nothing. */
const LAST_VISIT_MS = 15_000
/** The swarm has formed by then, and the end is quiet. */
const QUIET_MS = 12_000
const BETWEEN_FAULTS_MS = { least: 5000, most: 20_000 }
const FAULT_MS: Readonly<Record<FaultKind, { readonly least: number; readonly most: number }>> = {
  'origin-gone': { least: 3000, most: 15_000 },
  'origin-errors': { least: 4000, most: 12_000 },
  'origin-slow': { least: 5000, most: 15_000 },
  'tracker-killed': { least: 5000, most: 30_000 },
  'seeder-killed': { least: 5000, most: 20_000 },
  polluter: { least: 15_000, most: 30_000 },
}

/** The same plan from the same seed. `viewers` are there at a time, as a rule. */
export function makePlan(minutes: number, viewers: number, seed: number): Plan {
  const random = seededRandom(seed)
  const between = ({ least, most }: { readonly least: number; readonly most: number }) =>
    Math.round(least + random() * (most - least))
  const endsMs = minutes * 60_000
  const visits: PlannedVisit[] = [{ comesMs: 0, leavesMs: endsMs, by: 'closing' }]
  for (let slot = 1; slot < viewers; slot++) {
    for (let at = slot * 1000; at < endsMs - LAST_VISIT_MS; ) {
      const leavesMs = Math.min(endsMs, at + between(STAY_MS))
      const killed = leavesMs < endsMs && random() < KILLED_SHARE
      visits.push({ comesMs: at, leavesMs, by: killed ? 'kill' : 'closing' })
      at = leavesMs + between(ABSENCE_MS)
    }
  }
  const faults: PlannedFault[] = []
  for (let at = QUIET_MS + between(BETWEEN_FAULTS_MS); ; ) {
    const kind = FAULT_KINDS[Math.floor(random() * FAULT_KINDS.length)] ?? 'origin-gone'
    const toMs = at + between(FAULT_MS[kind])
    if (toMs > endsMs - QUIET_MS) break
    faults.push({ kind, fromMs: at, toMs })
    at = toMs + between(BETWEEN_FAULTS_MS)
  }
  return { endsMs, visits: visits.sort((a, b) => a.comesMs - b.comesMs), faults }
}
