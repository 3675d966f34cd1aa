import type { ChannelKind, Signal } from '@shoal/protocol'
import nodeDataChannel, { type DataChannel, type DataChannelInitConfig } from 'node-datachannel'
import {
  applySctpSettings,
  CONTROL_CONFIG,
  CONTROL_LABEL,
  LOSSY_CONFIG,
  LOSSY_LABEL,
} from './native-settings.js'

export interface BarePeerOptions {
  readonly role: 'offerer' | 'answerer'
  readonly bindAddress?: string
  /** The lossy channel's settings, where a control row wants others. */
  readonly lossy?: DataChannelInitConfig
  readonly onSignal: (signal: Signal) => void
  readonly onOpen: () => void
  /** Straight from the native callback: it must not throw. */
  readonly onMessage: (channel: ChannelKind, data: string | Buffer | ArrayBuffer) => void
  readonly onDrain?: () => void
}

/** node-datachannel with our two channels and without our adapter. */
export interface BarePeer {
  readonly channels: Readonly<Record<ChannelKind, DataChannel>>
  signal(signal: Signal): void
  close(): void
}

/** Largest message of the bare peer, in bytes: libdatachannel's own default. */
const BARE_MAX_MESSAGE_BYTES = 256 * 1024

/**
 * The control row of the transport bench, and the peer that keeps to no rule in the adapters' tests.
 * It checks nothing: for trusted signals only.
 */
export function createBarePeer(options: BarePeerOptions): BarePeer {
  applySctpSettings()
  const { bindAddress } = options
  const connection = new nodeDataChannel.PeerConnection('bare', {
    iceServers: [],
    maxMessageSize: BARE_MAX_MESSAGE_BYTES,
    disableAutoNegotiation: true,
    ...(bindAddress === undefined ? {} : { bindAddress }),
  })
  connection.onLocalDescription((sdp, type) => {
    if (type !== 'offer' && type !== 'answer') return
    setImmediate(() => options.onSignal({ kind: 'description', type, sdp }))
  })
  connection.onLocalCandidate((line, sdpMid) => {
    const candidate = line.replace(/^a=/, '')
    setImmediate(() => options.onSignal({ kind: 'candidate', candidate, sdpMid, sdpMLineIndex: 0 }))
  })
  const control = connection.createDataChannel(CONTROL_LABEL, CONTROL_CONFIG)
  const lossy = connection.createDataChannel(LOSSY_LABEL, options.lossy ?? LOSSY_CONFIG)
  let opened = 0
  for (const [kind, channel] of [
    ['control', control],
    ['lossy', lossy],
  ] as const) {
    channel.onMessage((data) => options.onMessage(kind, data))
    channel.onOpen(() => {
      opened++
      if (opened === 2) setImmediate(options.onOpen)
    })
  }
  const { onDrain } = options
  if (onDrain !== undefined) lossy.onBufferedAmountLow(() => setImmediate(onDrain))
  if (options.role === 'offerer') connection.setLocalDescription('offer')
  const peer: BarePeer = {
    channels: { control, lossy },
    signal(signal) {
      if (signal.kind === 'candidate') {
        connection.addRemoteCandidate(signal.candidate, signal.sdpMid ?? '0')
        return
      }
      connection.setRemoteDescription(signal.sdp, signal.type)
      if (signal.type === 'offer') connection.setLocalDescription('answer')
    },
    close() {
      held.delete(peer)
      connection.close()
    },
  }
  held.add(peer)
  return peer
}

/** Native objects are closed when their wrappers are collected as garbage. */
const held = new Set<BarePeer>()
