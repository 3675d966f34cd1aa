import nodeDataChannel from 'node-datachannel'
import { JavaScriptQueue } from '../javascript-queue.js'
import { type DirectDial, readDial } from './dial.js'

export interface DirectListenerOptions {
  /** UDP. */
  readonly port: number
  /** Local address; all unless given. */
  readonly address?: string | undefined
  /** False where the dialler is not taken now; it is heard again when it repeats its check. */
  readonly onDial: (dial: DirectDial) => boolean
  readonly onError: (error: unknown) => void
}

/** Diallers that are remembered, so that repeated checks of one are one dial. */
const MAX_KNOWN = 1_024

/** A dialler that was not taken is not looked at for so long, in milliseconds: checks come many a second. */
const REFUSED_MS = 1_000

/** Hears connectivity checks of peers that nobody has announced, on one UDP port that all share. */
export class DirectListener {
  private readonly native
  /** By user fragment: when its next check counts. */
  private readonly known = new Map<string, number>()

  /** @throws Error where the port cannot be had */
  constructor(private readonly options: DirectListenerOptions) {
    const { port, address, onError } = options
    const queue = new JavaScriptQueue(onError)
    this.native = new nodeDataChannel.IceUdpMuxListener(port, address)
    this.native.onUnhandledStunRequest((request) => {
      queue.put(() => this.heard(request.localUfrag, request.ufrag, request.host, request.port))
    })
  }

  stop(): void {
    this.native.stop()
  }

  private heard(localUfrag: string, remoteUfrag: string, host: string, port: number): void {
    if ((this.known.get(localUfrag) ?? 0) > performance.now()) return
    const dial = readDial(localUfrag, remoteUfrag, host, port)
    if (dial === null) return
    const taken = this.options.onDial(dial)
    this.known.delete(localUfrag)
    this.known.set(localUfrag, taken ? Number.POSITIVE_INFINITY : performance.now() + REFUSED_MS)
    const [oldest] = this.known.keys()
    if (this.known.size > MAX_KNOWN && oldest !== undefined) this.known.delete(oldest)
  }
}
