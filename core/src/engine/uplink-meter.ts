import type { Millis } from '@shoal/protocol'
import { TransferRate } from './rates.js'

/** Busy time over which the uplink is measured at least, in milliseconds. */
const UPLINK_SPAN_MS = 200

/** Rate at which the channels take what is sent, while there is always something to send. */
export class UplinkMeter {
  private readonly rate = new TransferRate()
  private since: Millis | null = null
  private bytes = 0

  /** Bytes per second, or null before the first measurement. */
  get value(): number | null {
    return this.rate.value
  }

  /**
   * Something is about to be handed to a channel.
   *
   * @param buffered bytes in all send buffers: they count where the line was idle, since they leave first
   */
  begin(buffered: number, now: Millis): void {
    if (this.since !== null) return
    this.since = now
    this.bytes = buffered
  }

  /** Bytes were handed to a channel. */
  sent(bytes: number): void {
    this.bytes += bytes
  }

  /**
   * What the channels took counts, less what waits in them.
   *
   * @param buffered bytes in all send buffers
   * @param waiting more is ready to be sent
   */
  measure(buffered: number, waiting: boolean, now: Millis): void {
    if (this.since === null) return
    const elapsed = now - this.since
    const left = this.bytes - buffered
    // What is known of the buffers may be old: that nothing has left is no measurement.
    if (elapsed >= UPLINK_SPAN_MS && left > 0) {
      this.rate.sample(left, elapsed as Millis)
      this.since = now
      this.bytes = buffered
    }
    if (waiting) return
    // Idle from here on: time without anything to send says nothing of the uplink.
    this.since = null
    this.bytes = 0
  }
}
