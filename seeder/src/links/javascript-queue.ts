/**
 * Takes work out of native callbacks: an exception inside one of node-datachannel's ends the process
 * (`terminate called after throwing an instance of 'Napi::Error'`, exit 134) and no handler sees it.
 *
 * What is put in runs in order, from the event loop, many at a time: a `setImmediate` for each of
 * 60,000 messages a second would cost more than the messages.
 */
export class JavaScriptQueue {
  readonly #onError: (error: unknown) => void
  #waiting: (() => void)[] = []

  /** @param onError gets what queued work throws */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Never throws and never runs anything at once: safe inside a native callback. */
  put(work: () => void): void {
    this.#waiting.push(work)
    if (this.#waiting.length === 1) setImmediate(() => this.#run())
  }

  #run(): void {
    const batch = this.#waiting
    this.#waiting = []
    for (const work of batch) {
      try {
        work()
      } catch (error) {
        this.#report(error)
      }
    }
  }

  /** A reporter that fails in turn ends as an uncaught exception, not as a lost batch. */
  #report(error: unknown): void {
    try {
      this.#onError(error)
    } catch (failure) {
      setImmediate(() => {
        throw failure
      })
    }
  }
}
