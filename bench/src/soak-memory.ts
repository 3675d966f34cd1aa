import { treeMemoryMiB } from './swarm-machine.js'

/** Memory of one process, or of a browser with all of its own, in MiB. */
export interface MemorySample {
  readonly pid: number
  readonly mib: number
}

export interface MemoryTrend {
  /** Median of the second quarter of the longest life, and of its last. */
  readonly earlyMiB: number
  readonly lateMiB: number
  readonly samples: number
  readonly flat: boolean
}

/** Fewer samples in each quarter say nothing. */
const LEAST_SAMPLES = 12
/** Growth that caches and the garbage collector's leisure explain. */
const MAX_GROWTH_MIB = 24
const MAX_GROWTH_SHARE = 0.2

/** Judges the process that lived longest; null where none lived long enough. */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend | null {
  const lives = new Map<number, number[]>()
  for (const { pid, mib } of samples) lives.set(pid, [...(lives.get(pid) ?? []), mib])
  const life = [...lives.values()].sort((a, b) => b.length - a.length)[0] ?? []
  if (life.length < LEAST_SAMPLES) return null
  const quarter = Math.floor(life.length / 4)
  const earlyMiB = median(life.slice(quarter, 2 * quarter))
  const lateMiB = median(life.slice(-quarter))
  const allowed = Math.max(MAX_GROWTH_MIB, earlyMiB * MAX_GROWTH_SHARE)
  return { earlyMiB, lateMiB, samples: life.length, flat: lateMiB - earlyMiB <= allowed }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

export function memoryOf(pid: number): MemorySample {
  return { pid, mib: treeMemoryMiB(pid) }
}
