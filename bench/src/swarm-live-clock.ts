import type { LiveStream } from '../../e2e/dist/sample/index.js'

/** When the segments of a live stream are published. */
export class LiveClock {
  readonly #segmentMs: number
  readonly #anchor: { readonly sequence: number; readonly at: number }

  /** @param now Unix time in ms */
  constructor(live: Pick<LiveStream, 'window'>, segmentSeconds: number, now: number) {
    this.#segmentMs = segmentSeconds * 1000
    const sequence = live.window(now).last + 1
    // The stream tells what is published at a time: the first such time, to a fraction of a millisecond.
    let [before, after] = [now, now + this.#segmentMs + 1]
    while (after - before > 0.1) {
      const middle = (before + after) / 2
      if (live.window(middle).last >= sequence) after = middle
      else before = middle
    }
    this.#anchor = { sequence, at: after }
  }

  /** Unix time in ms at which a playlist names the segment for the first time. */
  publishedAt(sequence: number): number {
    return this.#anchor.at + (sequence - this.#anchor.sequence) * this.#segmentMs
  }

  /** The first publication at `time` or later, Unix time in ms. */
  nextAfter(time: number): number {
    const { at, sequence } = this.#anchor
    return this.publishedAt(sequence + Math.ceil((time - at) / this.#segmentMs))
  }
}
