import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { processTree, processTreeCpuMs } from './transport-process-tree.js'

/** How busy the machine was over a row. Linux only. */
export interface MachineUse {
  readonly cores: number
  /** Cores in use on average by everything that runs, 0 to `cores`. */
  readonly busy: number
  /** By the benchmark: browser, origin, tracker, seeder and itself. */
  readonly ours: number
  /** Time that the browser's threads waited for a core, over the time that they had one. */
  readonly browserWaitShare: number
  /** CPU seconds by the benchmark, of processes that are alive at the end. */
  readonly oursCpuSeconds: number
  /** CPU seconds of the browser with all pages. */
  readonly browserCpuSeconds: number
  /** Most memory that the browser's processes had, each page's share of shared memory counted once. */
  readonly browserPeakMiB: number
}

/** Reading every process's map costs a few milliseconds each. */
const MEMORY_INTERVAL_MS = 5000

/** Fields of the line `cpu` in /proc/stat (proc(5)). */
const IDLE_FIELD = 3
const IOWAIT_FIELD = 4
const USED_FIELDS = 8
const TICKS_PER_SECOND = 100

/** Measures from now until `stop`. */
export class MachineMeter {
  readonly #browserPids: () => readonly number[]
  readonly #startedAt = performance.now()
  readonly #busyBefore = busySeconds()
  readonly #oursBefore = processTreeCpuMs(process.pid)
  /** CPU time by browser: before the measurement, and at the last look at a browser that may be gone. */
  readonly #browsersBefore = new Map<number, number>()
  readonly #browsersLast = new Map<number, number>()
  readonly #threadsBefore: ReadonlyMap<string, ThreadTimes>
  readonly #timer: NodeJS.Timeout
  #peakMiB = 0

  /** @param browserPids those that are alive */
  constructor(browserPids: () => readonly number[]) {
    this.#browserPids = browserPids
    for (const pid of browserPids()) this.#browsersBefore.set(pid, processTreeCpuMs(pid))
    this.#threadsBefore = threadTimes(browserPids())
    this.#timer = setInterval(() => this.look(), MEMORY_INTERVAL_MS)
  }

  /** Called by itself every few seconds, and by who is about to kill a browser. */
  look(): void {
    this.#readMemory()
    for (const pid of this.#browserPids()) this.#browsersLast.set(pid, processTreeCpuMs(pid))
  }

  stop(): MachineUse {
    clearInterval(this.#timer)
    const seconds = (performance.now() - this.#startedAt) / 1000
    const oursCpuSeconds = (processTreeCpuMs(process.pid) - this.#oursBefore) / 1000
    this.look()
    const cpuMs = [...this.#browsersLast].map(([pid, last]) => last - (this.#browsersBefore.get(pid) ?? 0))
    return {
      browserWaitShare: this.#waitShare(),
      cores: availableParallelism(),
      busy: (busySeconds() - this.#busyBefore) / seconds,
      ours: oursCpuSeconds / seconds,
      oursCpuSeconds,
      browserCpuSeconds: cpuMs.reduce((sum, ms) => sum + ms, 0) / 1000,
      browserPeakMiB: this.#peakMiB,
    }
  }

  #waitShare(): number {
    let [ran, waited] = [0, 0]
    for (const [thread, after] of threadTimes(this.#browserPids())) {
      const before = this.#threadsBefore.get(thread)
      ran += after.ran - (before?.ran ?? 0)
      waited += after.waited - (before?.waited ?? 0)
    }
    return waited / Math.max(1, ran)
  }

  #readMemory(): void {
    const sizes = this.#browserPids().map(treeMemoryMiB)
    this.#peakMiB = Math.max(
      this.#peakMiB,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  }
}

/** Memory of a process and its descendants, each one's part of what they share counted once. Linux only. */
export function treeMemoryMiB(root: number): number {
  return processTree(root).reduce((sum, { pid }) => sum + proportionalKiB(pid) / 1024, 0)
}

interface ThreadTimes {
  readonly ran: number
  readonly waited: number
}

/** Nanoseconds on a core and in the queue for one, of each thread that lives (Linux's sched-stats.rst). */
function threadTimes(roots: readonly number[]): ReadonlyMap<string, ThreadTimes> {
  const times = new Map<string, ThreadTimes>()
  for (const { pid } of roots.flatMap((root) => processTree(root))) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
        const [ran = 0, waited = 0] = text.split(' ').map(Number)
        times.set(`${pid}/${thread}`, { ran, waited })
      }
    } catch {
      // It has just ended.
    }
  }
  return times
}

/** CPU time that all cores have spent not idle since the machine started. */
function busySeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const fields = line
    .trim()
    .split(/\s+/)
    .slice(1, 1 + USED_FIELDS)
    .map(Number)
  const ticks = fields.reduce((sum, value) => sum + value, 0)
  return (ticks - (fields[IDLE_FIELD] ?? 0) - (fields[IOWAIT_FIELD] ?? 0)) / TICKS_PER_SECOND
}

/** Proportional set size; 0 where the process has just ended. */
function proportionalKiB(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
  } catch {
    return 0
  }
}
