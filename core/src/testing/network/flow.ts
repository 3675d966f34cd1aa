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
  /** Places are used again once all before them are empty. */
  readonly #items: (QueuedMessage | undefined)[] = []
  #head = 0
  #tail = 0
  bytes = 0

  push(message: QueuedMessage): void {
    this.#items[this.#tail++] = message
    this.bytes += message.bytes
  }

  peek(): QueuedMessage | undefined {
    return this.#items[this.#head]
  }

  shift(): void {
    const message = this.#items[this.#head]
    if (message === undefined) return
    this.bytes -= message.bytes
    this.#items[this.#head++] = undefined
    if (this.#head < this.#tail) return
    this.#head = 0
    this.#tail = 0
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
    this.#tail = 0
    this.bytes = 0
  }
}

/** Send buffers of one direction of one link; the two channels take turns, as SCTP streams do. */
export class SendBuffers {
  readonly window: CongestionWindow
  /** Of a `FluidUplink`: the message that is being sent, when it will have been, and not before when. */
  sending: QueuedMessage | null = null
  finish = 0
  notBefore = 0
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

  /** The control message whose turn it is while a lossy one is being sent. */
  nextControl(pathCut: boolean): QueuedMessage | undefined {
    return pathCut ? undefined : this.#control.peek()
  }

  /** False once the message has been forgotten. */
  isNext(message: QueuedMessage): boolean {
    return this.#of(message.channel).peek() === message
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
