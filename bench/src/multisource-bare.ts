import type { Signal } from '@shoal/protocol'
import { type BarePeer, createBarePeer } from '../../seeder/dist/links/index.js'
import { type EmulatedPath, PATH_HOST } from './multisource-path.js'
import { BARE_BUFFER_HIGH_BYTES, BARE_BUFFER_LOW_BYTES } from './transport-end.js'

/** Bytes of a message: one packet, as Data. */
const MESSAGE_BYTES = 1150
const OPEN_LIMIT_MS = 20_000
const LIMIT_MS = 120_000
const RELIABLE_UNORDERED = { negotiated: true, id: 1, unordered: true }

/** The control row: one bare association with a reliable unordered channel, over the same path. */
export class BarePair {
  readonly #sender: BarePeer
  readonly #receiver: BarePeer
  #left = 0
  #received = 0
  #onReceived: () => void = () => undefined
  #open = 0
  #onOpen: () => void = () => undefined

  private constructor(path: EmulatedPath) {
    const common = {
      bindAddress: PATH_HOST,
      lossy: RELIABLE_UNORDERED,
      onOpen: () => {
        this.#open++
        if (this.#open === 2) this.#onOpen()
      },
    }
    const held: Signal[] = []
    let answered = false
    this.#sender = createBarePeer({
      ...common,
      role: 'offerer',
      onSignal: async (signal) => {
        const rewritten = await path.through(signal)
        if (rewritten === null) return
        if (rewritten.kind === 'candidate' && !answered) held.push(rewritten)
        else this.#receiver.signal(rewritten)
      },
      onMessage: () => undefined,
      onDrain: () => this.#pump(),
    })
    this.#receiver = createBarePeer({
      ...common,
      role: 'answerer',
      onSignal: async (signal) => {
        const rewritten = await path.through(signal)
        if (rewritten === null) return
        this.#sender.signal(rewritten)
        if (rewritten.kind !== 'description') return
        answered = true
        for (const candidate of held.splice(0)) this.#receiver.signal(candidate)
      },
      onMessage: (_channel, data) => {
        this.#received += typeof data === 'string' ? 0 : data.byteLength
        setImmediate(() => this.#onReceived())
      },
    })
    this.#sender.channels.lossy.setBufferedAmountLowThreshold(BARE_BUFFER_LOW_BYTES)
  }

  static async connect(path: EmulatedPath): Promise<BarePair> {
    const pair = new BarePair(path)
    await within(OPEN_LIMIT_MS, 'the bare pair does not connect', (resolve) => {
      pair.#onOpen = resolve
    })
    return pair
  }

  /** Milliseconds until `bytes` have arrived. */
  async transfer(bytes: number): Promise<number> {
    this.#received = 0
    this.#left = bytes
    const startedAt = performance.now()
    await within(LIMIT_MS, 'the bare transfer does not end', (resolve) => {
      this.#onReceived = () => {
        if (this.#received >= bytes) resolve()
      }
      this.#pump()
    })
    return performance.now() - startedAt
  }

  close(): void {
    this.#sender.close()
    this.#receiver.close()
  }

  #pump(): void {
    const { lossy } = this.#sender.channels
    while (this.#left > 0 && lossy.bufferedAmount() + MESSAGE_BYTES <= BARE_BUFFER_HIGH_BYTES) {
      const message = new Uint8Array(Math.min(MESSAGE_BYTES, this.#left)).fill(7)
      lossy.sendMessageBinary(message)
      this.#left -= message.byteLength
    }
  }
}

function within(ms: number, failure: string, start: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(failure)), ms)
    start(() => {
      clearTimeout(limit)
      resolve()
    })
  })
}
