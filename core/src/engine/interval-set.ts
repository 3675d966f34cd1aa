/**
 * A set of integers as sorted, disjoint, half-open intervals: a run of 65,535 sequence numbers costs
 * as much as one, so that a hostile Have cannot fill memory. At most `limit` intervals are kept; a
 * run that would exceed it is left out, and so is the upper half of one that is cut in two.
 */
export class IntervalSet {
  private readonly starts: number[] = []
  private readonly ends: number[] = []
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Intervals that are kept. */
  get size(): number {
    return this.starts.length
  }

  has(value: number): boolean {
    const index = this.indexEndingAfter(value)
    const start = this.starts[index]
    return start !== undefined && start <= value
  }

  /** Adds [start, end). */
  add(start: number, end: number): void {
    // Intervals that touch [start, end) are merged into one.
    const from = this.indexEndingAfter(start - 1)
    let to = from
    let first = start
    let last = end
    for (;;) {
      const otherStart = this.starts[to]
      const otherEnd = this.ends[to]
      if (otherStart === undefined || otherEnd === undefined || otherStart > end) break
      first = Math.min(first, otherStart)
      last = Math.max(last, otherEnd)
      to++
    }
    if (to === from && this.starts.length >= this.limit) return
    this.starts.splice(from, to - from, first)
    this.ends.splice(from, to - from, last)
  }

  /** Removes [start, end). */
  remove(start: number, end: number): void {
    let index = this.indexEndingAfter(start)
    for (;;) {
      const otherStart = this.starts[index]
      const otherEnd = this.ends[index]
      if (otherStart === undefined || otherEnd === undefined || otherStart >= end) return
      this.starts.splice(index, 1)
      this.ends.splice(index, 1)
      if (otherStart < start) {
        this.insert(index, otherStart, start)
        index++
      }
      if (otherEnd > end) {
        if (this.starts.length < this.limit) this.insert(index, end, otherEnd)
        return
      }
    }
  }

  clear(): void {
    this.starts.length = 0
    this.ends.length = 0
  }

  /** [start, end) of every interval, ascending. */
  *[Symbol.iterator](): Generator<readonly [number, number]> {
    for (const [index, start] of this.starts.entries()) {
      const end = this.ends[index]
      if (end !== undefined) yield [start, end]
    }
  }

  private insert(index: number, start: number, end: number): void {
    this.starts.splice(index, 0, start)
    this.ends.splice(index, 0, end)
  }

  /** Index of the first interval whose end is above `value`. */
  private indexEndingAfter(value: number): number {
    let low = 0
    let high = this.ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.ends[middle] ?? 0) > value) high = middle
      else low = middle + 1
    }
    return low
  }
}
