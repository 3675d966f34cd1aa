import { type ChannelKind, MAX_CONTROL_MESSAGE_BYTES, MAX_LOSSY_MESSAGE_BYTES } from '@shoal/protocol'
import { CONTROL_BUFFER_HIGH_BYTES, LOSSY_BUFFER_HIGH_BYTES } from '../../ports/link.js'
import { CongestionWindow } from './congestion.js'

/** Largest message of each channel, in bytes. */
export const MESSAGE_LIMITS: Readonly<Record<ChannelKind, number>> = {
  control: MAX_CONTROL_MESSAGE_BYTES,
  lossy: MAX_LOSSY_MESSAGE_BYTES,
}

/** Send buffer of each channel, in bytes. */
export const BUFFER_LIMITS: Readonly<Record<ChannelKind, number>> = {
  control: CONTROL_BUFFER_HIGH_BYTES,
  lossy: LOSSY_BUFFER_HIGH_BYTES,
}

/** One message on its way. A string is what no Shoal peer sends: tests of hostile peers do. */
export interface QueuedMessage {
  readonly channel: ChannelKind
  readonly data: Uint8Array | string
  readonly bytes: number
}

class Fifo {
  #items: QueuedMessage[] = []
  #head = 0
  bytes = 0

  push(message: QueuedMessage): void {
    this.#items.push(message)
    this.bytes += message.bytes
  }

  peek(): QueuedMessage | undefined {
    return this.#items[this.#head]
  }

  shift(): void {
    const message = this.#items[this.#head]
    if (message === undefined) return
    this.bytes -= message.bytes
    this.#head++
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    }
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.bytes = 0
  }
}

/** Send buffers of one direction of one link; the two channels take turns, as SCTP streams do. */
export class SendBuffers {
  readonly window: CongestionWindow
  /** When the path's own capacity is free again. */
  pathFreeAt = 0
  readonly #control = new Fifo()
  readonly #lossy = new Fifo()
  #last: ChannelKind = 'lossy'

  constructor(congestionControl: boolean) {
    this.window = new CongestionWindow(congestionControl)
  }

  push(message: QueuedMessage): void {
    this.#of(message.channel).push(message)
  }

  /** Something waits to be sent. */
  get waiting(): boolean {
    return this.#lossy.bytes > 0 || this.#control.bytes > 0
  }

  bufferedBytes(channel: ChannelKind): number {
    return this.#of(channel).bytes
  }

  /** The message whose turn it is; control waits while the path is cut, since it must not be lost. */
  next(pathCut: boolean): QueuedMessage | undefined {
    const control = pathCut ? undefined : this.#control.peek()
    const lossy = this.#lossy.peek()
    return this.#last === 'lossy' ? (control ?? lossy) : (lossy ?? control)
  }

  take(message: QueuedMessage): void {
    this.#last = message.channel
    this.#of(message.channel).shift()
  }

  clear(): void {
    this.#control.clear()
    this.#lossy.clear()
  }

  #of(channel: ChannelKind): Fifo {
    return channel === 'control' ? this.#control : this.#lossy
  }
}
