import type { Clock, Random } from '@shoal/core'
import { type Millis, millis } from '@shoal/protocol'
import type { Logger } from '../log.js'
import { OriginFailure } from '../origin/origin.js'
import { backoffDelay } from '../source/backoff.js'

/**
 * `live`: just added at the edge, wanted now, one at a time from each rendition.
 * `demand`: somebody waits for it.
 * `mirror`: everything else, in the order of its priority.
 */
export type LaneName = 'live' | 'demand' | 'mirror'

/**
 * Fetches at the same time. A mirror that takes three keeps an origin's connection busy without
 * standing in the way of its viewers; the live edge of a dozen renditions must not wait in line.
 */
const LANE_LIMITS: Readonly<Record<LaneName, number>> = { live: 12, demand: 12, mirror: 3 }

/** Attempts at a segment that the origin refuses (404 and the like), before it is put off for long. */
const MAX_REFUSALS = 5

/** How long it is put off then, in milliseconds: origins are repaired while the seeder runs. */
const PARK_MS = millis(5 * 60_000)

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
  lane: LaneName
  attempts: number
  /** Refused often: it waits for long, and does not count as pending. */
  parked: boolean
  /** Told whether the next attempt worked. */
  waiters: ((done: boolean) => void)[]
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
  private readonly lanes: Record<LaneName, Lane> = {
    live: newLane('live'),
    demand: newLane('demand'),
    mirror: newLane('mirror'),
  }
  private parked = 0
  private closed = false

  constructor(private readonly parts: FetchQueueParts) {}

  /** Fetches that are waiting or under way. */
  get pending(): number {
    return this.jobs.size - this.parked
  }

  add(tasks: readonly FetchTask[]): void {
    for (const task of tasks) this.enqueue(task)
    this.pump()
  }

  /**
   * Fetches now what somebody waits for, ahead of what is mirrored; where it is on its way already, that
   * fetch is waited for.
   *
   * @returns false where the next attempt fails, or the fetch is cancelled
   */
  demand(task: FetchTask): Promise<boolean> {
    if (this.closed) return Promise.resolve(false)
    const known = this.jobs.get(task.key)
    const job = known ?? this.enqueue({ ...task, lane: 'demand' })
    if (job === null) return Promise.resolve(false)
    if (known?.abort === null) this.hurry(known)
    return new Promise((resolve) => {
      job.waiters.push(resolve)
      this.pump()
    })
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
    this.unwait(job)
    this.jobs.delete(key)
    tellWaiters(job, false)
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

  /** The job of a task; null where it will only be one when an aborted run has ended. */
  private enqueue(task: FetchTask): Job | null {
    if (this.closed) return null
    const known = this.jobs.get(task.key)
    if (known !== undefined) {
      if (!known.abort?.signal.aborted) return known
      known.successor = task
      return null
    }
    const idle = { attempts: 0, parked: false, abort: null, cancelTimer: null, successor: null }
    const job: Job = { task, lane: task.lane, ...idle, waiters: [] }
    this.jobs.set(task.key, job)
    this.wait(job)
    return job
  }

  private wait(job: Job): void {
    const lane = this.lanes[job.lane]
    lane.waiting.push(job)
    lane.sorted = false
  }

  private unwait(job: Job): void {
    job.cancelTimer?.()
    job.cancelTimer = null
    if (job.parked) this.parked--
    job.parked = false
    const lane = this.lanes[job.lane]
    lane.waiting = lane.waiting.filter((other) => other !== job)
  }

  /** What waits, for its turn or after a failure, is tried next. */
  private hurry(job: Job): void {
    this.unwait(job)
    job.lane = 'demand'
    this.wait(job)
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
    tellWaiters(job, failure === null && !abort.signal.aborted)
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
    } else if (job.task.lane !== 'live' && job.attempts >= MAX_REFUSALS) {
      if (job.attempts === MAX_REFUSALS) {
        this.parts.log.warn({ error, attempts: job.attempts }, 'a segment is left out for now')
      }
      job.parked = true
      this.parked++
      this.waitLater(job, PARK_MS)
      return
    }
    this.parts.log.debug({ error, attempts: job.attempts }, 'a fetch failed')
    const limit = job.lane === 'live' ? MAX_LIVE_BACKOFF_MS : undefined
    const delay = Math.max(
      backoffDelay(job.attempts, this.parts.random(), limit),
      Math.min(failure.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS),
    )
    this.waitLater(job, millis(delay))
  }

  private waitLater(job: Job, delay: Millis): void {
    job.cancelTimer = this.parts.clock.setTimer(delay, () => {
      this.unwait(job)
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

function tellWaiters(job: Job, done: boolean): void {
  for (const tell of job.waiters.splice(0)) tell(done)
}

function take(lane: Lane): Job | null {
  if (!lane.sorted) {
    lane.waiting.sort((a, b) => a.task.priority - b.task.priority)
    lane.sorted = true
  }
  const index = lane.waiting.findIndex((job) => job.lane === 'demand' || job.task.admissible())
  return index === -1 ? null : (lane.waiting.splice(index, 1)[0] ?? null)
}
