/** Seconds that the playhead must move for a stall to be over. */
const RESUMED_SECONDS = 0.1

/**
 * Tells when playback of a media element runs dry. Waiting before the first frame, and for a seek,
 * is no stall.
 */
export class StallCounter {
  readonly #media: HTMLMediaElement
  readonly #onStall: () => void
  #started = false
  #stalledAt: number | null = null

  constructor(media: HTMLMediaElement, onStall: () => void) {
    this.#media = media
    this.#onStall = onStall
    this.#started = !media.paused && media.currentTime > 0 && media.readyState > media.HAVE_CURRENT_DATA
    for (const name of EVENTS) media.addEventListener(name, this.#onEvent)
  }

  /** hls.js saw the playhead stand still, which browsers do not always tell. */
  stalled(): void {
    if (!this.#started || this.#stalledAt !== null || this.#media.seeking || this.#media.ended) return
    this.#stalledAt = this.#media.currentTime
    this.#onStall()
  }

  release(): void {
    for (const name of EVENTS) this.#media.removeEventListener(name, this.#onEvent)
  }

  readonly #onEvent = ({ type }: Event): void => {
    switch (type) {
      case 'playing':
        this.#started = true
        this.#stalledAt = null
        break
      case 'waiting':
        this.stalled()
        break
      case 'emptied':
        this.#started = false
        this.#stalledAt = null
        break
      case 'seeking':
        // Until it plays again, whatever it waits for is the seek's.
        this.#started = false
        this.#stalledAt = null
        break
      case 'timeupdate':
        if (this.#stalledAt !== null && this.#media.currentTime > this.#stalledAt + RESUMED_SECONDS) {
          this.#stalledAt = null
        }
    }
  }
}

const EVENTS = ['playing', 'waiting', 'emptied', 'seeking', 'timeupdate'] as const
