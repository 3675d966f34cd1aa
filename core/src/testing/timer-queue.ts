/** What the virtual clock runs at a time; `callback` is null once it is cancelled. */
export interface Timer {
  readonly at: number
  /** Order of setting: timers of one instant run in it. */
  readonly order: number
  callback: (() => void) | null
}

/** Width of a bucket, in milliseconds: with thousands of viewers some hundred timers. */
const BUCKET_MS = 1

/**
 * Timers by (at, order): a binary heap of those that are due soon, which stays small enough for a
 * processor's cache, and unsorted buckets of a millisecond each for all later ones (a calendar queue,
 * Brown 1988).
 */
export class TimerQueue {
  /** Timers of all buckets below `horizon`, as a heap. */
  #near: Timer[] = []
  #horizon = Number.NEGATIVE_INFINITY
  readonly #later = new Map<number, Timer[]>()
  /** Numbers of the later buckets, the latest first. */
  readonly #numbers: number[] = []
  #size = 0

  /** Timers here, cancelled ones that have not surfaced included. */
  get size(): number {
    return this.#size
  }

  push(timer: Timer): void {
    this.#size++
    const number = Math.floor(timer.at / BUCKET_MS)
    if (number < this.#horizon) {
      this.#insert(timer)
      return
    }
    const bucket = this.#later.get(number)
    if (bucket !== undefined) {
      bucket.push(timer)
      return
    }
    this.#later.set(number, [timer])
    this.#numbers.splice(this.#firstNotAbove(number), 0, number)
  }

  /** The first, cancelled or not. */
  peek(): Timer | undefined {
    while (this.#near.length === 0) {
      const number = this.#numbers.pop()
      if (number === undefined) return undefined
      this.#horizon = number + 1
      for (const timer of this.#later.get(number) ?? []) this.#insert(timer)
      this.#later.delete(number)
    }
    return this.#near[0]
  }

  /** Takes what `peek` has told. */
  pop(): void {
    const heap = this.#near
    const last = heap.pop()
    if (last === undefined) return
    this.#size--
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let childIndex = index * 2 + 1
      let child = heap[childIndex]
      if (child === undefined) break
      const right = heap[childIndex + 1]
      if (right !== undefined && before(right, child)) {
        child = right
        childIndex++
      }
      if (!before(child, last)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = last
  }

  /** Lets go of what has been cancelled. */
  compact(): void {
    const near = this.#near.filter(({ callback }) => callback !== null)
    this.#near = near.sort((a, b) => a.at - b.at || a.order - b.order)
    this.#size = near.length
    for (const [number, bucket] of this.#later) {
      const live = bucket.filter(({ callback }) => callback !== null)
      this.#later.set(number, live)
      this.#size += live.length
    }
  }

  #insert(timer: Timer): void {
    const heap = this.#near
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (parent === undefined || !before(timer, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = timer
  }

  #firstNotAbove(number: number): number {
    let low = 0
    let high = this.#numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] ?? 0) > number) low = middle + 1
      else high = middle
    }
    return low
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
