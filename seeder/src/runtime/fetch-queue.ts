import type { Clock, Random } from '@shoal/core'
import { millis } from '@shoal/protocol'
import type { Logger } from '../log.js'
import { OriginFailure } from '../origin/origin.js'
import { backoffDelay } from '../source/backoff.js'

/**
 * `live`: just added at the edge, wanted now, one at a time from each rendition.
 * `mirror`: everything else, in the order of its priority.
 */
export type LaneName = 'live' | 'mirror'

/**
 * Fetches at the same time. A mirror that takes three keeps an origin's connection busy without
 * standing in the way of its viewers; the live edge of a dozen renditions must not wait in line.
 */
const LANE_LIMITS: Readonly<Record<LaneName, number>> = { live: 12, mirror: 3 }

/** Attempts at a mirrored segment that the origin refuses (404 and the like). */
const MAX_REFUSALS = 5

/** Failures of the origin in a row that stop a lane for a while. */
const PAUSE_AFTER_FAILURES = 3

/** Longest wait before an edge segment is tried again, in milliseconds: it is soon of no more use. */
const MAX_LIVE_BACKOFF_MS = 2_000

export interface FetchTask {
  readonly key: string
  readonly lane: LaneName
  /** Lowest first. */
  readonly priority: number
  /** False while there is no room for it; asked again whenever something ends. */
  admissible(): boolean
  run(signal: AbortSignal): Promise<void>
}

interface Job {
  readonly task: FetchTask
  attempts: number
  /** While it runs. */
  abort: AbortController | null
  /** While it waits after a failure. */
  cancelTimer: (() => void) | null
  /** Takes its place when its aborted run has ended. */
  successor: FetchTask | null
}

interface Lane {
  readonly limit: number
  waiting: Job[]
  sorted: boolean
  running: number
  failures: number
  cancelPause: (() => void) | null
}

export interface FetchQueueParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Runs fetches in order, each key once, tries failed ones again, and spares an origin that is down. */
export class FetchQueue {
  private readonly jobs = new Map<string, Job>()
  private readonly lanes: Record<LaneName, Lane> = { live: newLane('live'), mirror: newLane('mirror') }
  private closed = false

  constructor(private readonly parts: FetchQueueParts) {}

  /** Fetches that are waiting or under way. */
  get pending(): number {
    return this.jobs.size
  }

  add(tasks: readonly FetchTask[]): void {
    for (const task of tasks) this.enqueue(task)
    this.pump()
  }

  /** Ends a fetch, whatever its state. */
  cancel(key: string): void {
    const job = this.jobs.get(key)
    if (job === undefined) return
    job.successor = null
    if (job.abort !== null) {
      job.abort.abort()
      return
    }
    job.cancelTimer?.()
    const lane = this.lanes[job.task.lane]
    lane.waiting = lane.waiting.filter((other) => other !== job)
    this.jobs.delete(key)
  }

  /** The origin answers again: pauses end. */
  resume(): void {
    for (const lane of Object.values(this.lanes)) {
      lane.failures = 0
      lane.cancelPause?.()
      lane.cancelPause = null
    }
    this.pump()
  }

  close(): void {
    this.closed = true
    for (const lane of Object.values(this.lanes)) lane.cancelPause?.()
    for (const key of [...this.jobs.keys()]) this.cancel(key)
  }

  private enqueue(task: FetchTask): void {
    if (this.closed) return
    const known = this.jobs.get(task.key)
    if (known !== undefined) {
      if (known.abort?.signal.aborted) known.successor = task
      return
    }
    const job: Job = { task, attempts: 0, abort: null, cancelTimer: null, successor: null }
    this.jobs.set(task.key, job)
    this.wait(job)
  }

  private wait(job: Job): void {
    const lane = this.lanes[job.task.lane]
    lane.waiting.push(job)
    lane.sorted = false
  }

  private pump(): void {
    if (this.closed) return
    for (const lane of Object.values(this.lanes)) {
      while (lane.cancelPause === null && lane.running < lane.limit) {
        const job = take(lane)
        if (job === null) break
        void this.run(job, lane)
      }
    }
  }

  private async run(job: Job, lane: Lane): Promise<void> {
    const abort = new AbortController()
    job.abort = abort
    lane.running++
    let failure: unknown = null
    try {
      await job.task.run(abort.signal)
    } catch (error) {
      failure = error
    }
    lane.running--
    job.abort = null
    if (abort.signal.aborted || failure === null) {
      this.jobs.delete(job.task.key)
      if (failure === null) lane.failures = 0
      if (job.successor !== null) this.enqueue(job.successor)
    } else {
      this.failed(job, lane, failure)
    }
    this.pump()
  }

  private failed(job: Job, lane: Lane, failure: unknown): void {
    const error = failure instanceof Error ? failure.message : String(failure)
    job.attempts++
    if (!(failure instanceof OriginFailure) || failure.kind === 'too-large') {
      this.giveUp(job, error)
      return
    }
    if (failure.originDown) {
      this.pauseAfter(++lane.failures, lane)
    } else if (job.task.lane === 'mirror' && job.attempts >= MAX_REFUSALS) {
      this.giveUp(job, error)
      return
    }
    this.parts.log.debug({ error, attempts: job.attempts }, 'a fetch failed')
    const limit = job.task.lane === 'live' ? MAX_LIVE_BACKOFF_MS : undefined
    const delay = Math.max(
      backoffDelay(job.attempts, this.parts.random(), limit),
      Math.min(failure.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS),
    )
    job.cancelTimer = this.parts.clock.setTimer(millis(delay), () => {
      job.cancelTimer = null
      this.wait(job)
      this.pump()
    })
  }

  private giveUp(job: Job, error: string): void {
    this.jobs.delete(job.task.key)
    this.parts.log.warn({ error, attempts: job.attempts }, 'a segment is left out')
  }

  private pauseAfter(failures: number, lane: Lane): void {
    if (failures < PAUSE_AFTER_FAILURES || lane.cancelPause !== null) return
    const limit = lane === this.lanes.live ? MAX_LIVE_BACKOFF_MS : undefined
    const delay = backoffDelay(failures - PAUSE_AFTER_FAILURES + 1, this.parts.random(), limit)
    lane.cancelPause = this.parts.clock.setTimer(delay, () => {
      lane.cancelPause = null
      this.pump()
    })
  }
}

/** Longest that an origin's Retry-After is heeded, in milliseconds. */
const MAX_RETRY_AFTER_MS = 60_000

function newLane(name: LaneName): Lane {
  const limit = LANE_LIMITS[name]
  return { limit, waiting: [], sorted: true, running: 0, failures: 0, cancelPause: null }
}

function take(lane: Lane): Job | null {
  if (!lane.sorted) {
    lane.waiting.sort((a, b) => a.task.priority - b.task.priority)
    lane.sorted = true
  }
  const index = lane.waiting.findIndex((job) => job.task.admissible())
  return index === -1 ? null : (lane.waiting.splice(index, 1)[0] ?? null)
}
