import { setTimeout as sleep } from 'node:timers/promises'
import { type MemorySample, type MemoryTrend, memoryOf, memoryTrend } from './soak-memory.js'
import { makePlan, type Plan, type PlannedFault } from './soak-plan.js'
import { SoakStage } from './soak-stage.js'
import { Audience, type Visit } from './soak-visit.js'
import { until } from './swarm-events.js'
import { prepareMedia } from './swarm-media.js'
import { startSwarmPage } from './swarm-page.js'
import { STEADY } from './swarm-scenarios.js'
import { sum } from './swarm-statistics.js'

export interface SoakOptions {
  readonly minutes: number
  /** There at a time, as a rule; each with a twin. */
  readonly viewers: number
  readonly seed: number
}

export interface SoakResult extends SoakOptions {
  readonly bench: 'soak'
  readonly passed: boolean
  /** What did not hold, in words; empty where the soak passed. */
  readonly failures: readonly string[]
  readonly visits: number
  readonly killed: number
  /** How many of each kind struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly stallSeconds: number
  readonly twinStallSeconds: number
  readonly peerShare: number
  /** Of who lived longest; null where that was too short to judge. */
  readonly memory: Readonly<Record<'page' | 'seeder' | 'tracker', MemoryTrend | null>>
  /** Viewers that the tracker still listed half a minute after all had gone. */
  readonly ghosts: number
  /** Visits that stood still longer than their twins. */
  readonly beyondTwin: readonly Visit[]
}

const LEAD_MS = 8000
const MEMORY_EVERY_MS = 2500
const GHOSTS_WITHIN_MS = 30_000

/**
 * Viewers of a live stream come and go in real Chromium, while faults strike origin, tracker and seeder, and
 * polluters come. Each viewer has a twin that plays with hls.js alone and meets the same faults.
 */
export async function soak(options: SoakOptions, tell: (line: string) => void): Promise<SoakResult> {
  const plan = makePlan(options.minutes, options.viewers, options.seed)
  const media = await prepareMedia(STEADY)
  const page = await startSwarmPage()
  const stage = await SoakStage.start(media, options.viewers)
  const audience = new Audience(stage, page.url)
  const series = { page: [] as MemorySample[], seeder: [] as MemorySample[], tracker: [] as MemorySample[] }
  let resident: number | null = null
  const timer = setInterval(() => {
    const { seeder, tracker } = stage.memory()
    if (seeder.mib > 0) series.seeder.push(seeder)
    if (tracker.mib > 0) series.tracker.push(tracker)
    if (resident !== null) series.page.push(memoryOf(resident))
  }, MEMORY_EVERY_MS)
  try {
    const startAt = Date.now() + LEAD_MS
    const [visits] = await Promise.all([
      Promise.all(
        plan.visits.map(async (planned, number) => {
          const onResident = (pid: number) => {
            resident = pid
          }
          const visit = await audience.visit(number, planned, startAt, number === 0 ? onResident : undefined)
          if (number === 0) resident = null
          const { stallSeconds, twinStallSeconds } = visit
          tell(
            `viewer ${number} goes: stalled ${stallSeconds.toFixed(1)} s, twin ${twinStallSeconds.toFixed(1)} s`,
          )
          return visit
        }),
      ),
      strikeAll(plan.faults, startAt, stage, audience, tell),
    ])
    const ghosts = await ghostsOf(stage)
    const memory = {
      page: memoryTrend(series.page),
      seeder: memoryTrend(series.seeder),
      tracker: memoryTrend(series.tracker),
    }
    return resultOf(options, plan, visits, memory, ghosts, stage.errors)
  } finally {
    clearInterval(timer)
    await audience.close()
    await stage.close()
    await page.close()
  }
}

async function strikeAll(
  faults: readonly PlannedFault[],
  startAt: number,
  stage: SoakStage,
  audience: Audience,
  tell: (line: string) => void,
): Promise<void> {
  for (const { kind, fromMs, toMs } of faults) {
    await until(startAt + fromMs)
    tell(`${kind}, ${((toMs - fromMs) / 1000).toFixed(0)} s`)
    const heal = kind === 'polluter' ? await audience.pollute() : await stage.strike(kind)
    await until(startAt + toMs)
    await heal()
  }
}

async function ghostsOf(stage: SoakStage): Promise<number> {
  const limit = Date.now() + GHOSTS_WITHIN_MS
  for (;;) {
    const listed = await stage.listed()
    if (listed === 0 || Date.now() > limit) return listed
    await sleep(500)
  }
}

function resultOf(
  options: SoakOptions,
  plan: Plan,
  visits: readonly Visit[],
  memory: SoakResult['memory'],
  ghosts: number,
  programErrors: readonly string[],
): SoakResult {
  const beyondTwin = visits.filter((visit) => visit.beyondTwin)
  const peers = sum(visits.map(({ peerBytes }) => peerBytes))
  const http = sum(visits.map(({ httpBytes }) => httpBytes))
  const failures = [
    ...beyondTwin.map(
      ({ number, stallSeconds, twinStallSeconds }) =>
        `viewer ${number} stalled ${stallSeconds.toFixed(1)} s, its twin ${twinStallSeconds.toFixed(1)} s`,
    ),
    ...visits.flatMap(({ number, errors }) => errors.map((error) => `viewer ${number}: ${error}`)),
    ...programErrors,
    ...Object.entries(memory).flatMap(([who, trend]) =>
      trend === null || trend.flat
        ? []
        : [`memory of the ${who} grew from ${trend.earlyMiB.toFixed(0)} to ${trend.lateMiB.toFixed(0)} MiB`],
    ),
    ...(ghosts > 0 ? [`the tracker lists ${ghosts} viewers that have gone`] : []),
    ...(peers === 0 ? ['nobody got a byte from a peer'] : []),
  ]
  const faults: Record<string, number> = {}
  for (const { kind } of plan.faults) faults[kind] = (faults[kind] ?? 0) + 1
  return {
    bench: 'soak',
    ...options,
    passed: failures.length === 0,
    failures,
    visits: visits.length,
    killed: visits.filter(({ killed }) => killed).length,
    faults,
    stallSeconds: sum(visits.map(({ stallSeconds }) => stallSeconds)),
    twinStallSeconds: sum(visits.map(({ twinStallSeconds }) => twinStallSeconds)),
    peerShare: peers / Math.max(1, peers + http),
    memory,
    ghosts,
    beyondTwin,
  }
}
