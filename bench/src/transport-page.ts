import type { Signal } from '@shoal/protocol'
import { createBrowserLinkFactory } from '../../player-plugin/dist/links/index.js'
import {
  BARE_BUFFER_HIGH_BYTES,
  BARE_BUFFER_LOW_BYTES,
  type Connection,
  type ConnectionHooks,
  connectShoal,
  type EndOptions,
  TransportEnd,
} from './transport-end.js'

/** Runs in the page, told what to do by `ChromiumEnd`. */

declare global {
  interface Window {
    /** Put here by `ChromiumEnd`. */
    tellSignal(signal: Signal): Promise<void>
    tellOpen(): Promise<void>
    transport: {
      open(options: EndOptions): void
      signal(signal: Signal): void
      startSending(): void
      counts(): { readonly sent: number; readonly received: number }
      close(): void
    }
  }
}

const factory = createBrowserLinkFactory()

function connect(options: EndOptions, hooks: ConnectionHooks): Connection {
  return options.target === 'shoal' ? connectShoal(factory, options, hooks) : connectBare(options, hooks)
}

function connectBare(options: EndOptions, hooks: ConnectionHooks): Connection {
  const connection = new RTCPeerConnection()
  const control = connection.createDataChannel('shoal-control', { negotiated: true, id: 0 })
  const lossy = connection.createDataChannel('shoal-lossy', {
    negotiated: true,
    id: 1,
    ordered: false,
    ...(options.target === 'bare-relu' ? {} : { maxRetransmits: 0 }),
  })
  lossy.binaryType = 'arraybuffer'
  lossy.bufferedAmountLowThreshold = BARE_BUFFER_LOW_BYTES
  lossy.onopen = () => hooks.onOpen()
  lossy.onbufferedamountlow = () => hooks.onRoom()
  lossy.onmessage = (event: MessageEvent<ArrayBuffer>) => hooks.onBytes(event.data.byteLength)
  control.onmessage = null
  connection.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return
    const { sdpMid, sdpMLineIndex } = candidate
    hooks.onSignal({ kind: 'candidate', candidate: candidate.candidate, sdpMid, sdpMLineIndex })
  }
  const describe = async () => {
    await connection.setLocalDescription()
    const { type, sdp } = connection.localDescription ?? { type: 'rollback', sdp: '' }
    if (type === 'offer' || type === 'answer') hooks.onSignal({ kind: 'description', type, sdp })
  }
  const take = async (signal: Signal) => {
    if (signal.kind === 'candidate') await connection.addIceCandidate(signal)
    else await connection.setRemoteDescription(signal)
    if (signal.kind === 'description' && signal.type === 'offer') await describe()
  }
  if (options.role === 'offerer') void describe()
  return {
    signal: (signal) => void take(signal),
    send(bytes) {
      if (lossy.bufferedAmount + bytes.length > BARE_BUFFER_HIGH_BYTES) return false
      lossy.send(bytes as Uint8Array<ArrayBuffer>)
      return true
    },
    close: () => connection.close(),
  }
}

const end = new TransportEnd(connect, (run) => setTimeout(run, 0))

window.transport = {
  open: (options) =>
    end.open(
      options,
      (signal) => void window.tellSignal(signal),
      () => void window.tellOpen(),
    ),
  signal: (signal) => end.signal(signal),
  startSending: () => end.startSending(),
  counts: () => end.counts(),
  close: () => end.close(),
}
