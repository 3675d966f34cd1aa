import {
  CONTROL_CHANNEL_ID,
  type LinkCloseReason,
  LOSSY_BUFFER_LOW_BYTES,
  LOSSY_CHANNEL_ID,
  LOSSY_MAX_RETRANSMITS,
} from '@shoal/core'
import type { ChannelKind, IceCandidate, SessionDescription } from '@shoal/protocol'
import SimplePeer from 'simple-peer'

/** What the connection tells the link; calls come from the browser's events and from microtasks. */
export interface ConnectionEvents {
  onDescription(sdp: string, type: string): void
  onCandidate(candidate: string, sdpMid: string): void
  onChannelOpen(channel: ChannelKind): void
  onMessage(channel: ChannelKind, data: unknown): void
  onDrain(): void
  /** `ended`: after opening this is the other side's end, before it a failure to connect. */
  onEnd(reason: LinkCloseReason | 'ended', error: Error | null): void
}

/** One peer connection with our two channels. */
export interface Connection {
  readonly channels: Readonly<Record<ChannelKind, RTCDataChannel>>
  setRemote(description: SessionDescription): void
  addCandidate(candidate: IceCandidate): void
  /** Mean round trip of ICE's checks since the last call, in milliseconds; null without any. */
  roundTrip(): Promise<number | null>
  destroy(): void
}

/** RFC 9260 section 3.3.10.12, "User-Initiated Abort": the other side has closed. */
const USER_INITIATED_ABORT = 12

/** simple-peer's error codes that a signal can cause. */
const SIGNAL_ERRORS: readonly unknown[] = [
  'ERR_SET_REMOTE_DESCRIPTION',
  'ERR_ADD_ICE_CANDIDATE',
  'ERR_SIGNALING',
]
/** ICE or DTLS failed, or fell silent. */
const CONNECTION_ERRORS: readonly unknown[] = [
  'ERR_ICE_CONNECTION_FAILURE',
  'ERR_ICE_CONNECTION_CLOSED',
  'ERR_CONNECTION_FAILURE',
]

/** False where the browser has no WebRTC, or it was turned off. */
export function isWebRtcSupported(): boolean {
  return SimplePeer.WEBRTC_SUPPORT
}

/**
 * Opens a connection through simple-peer, which drives the negotiation and owns the lossy channel; the
 * control channel is made on its connection before the first description.
 *
 * Both channels are read and written directly. simple-peer's own way is a Node stream: 0.4 microseconds
 * more for each message (measured), and a limit of its own on what may be queued.
 *
 * @throws what the browser throws where it cannot make a connection
 */
export function connectSimplePeer(
  role: 'offerer' | 'answerer',
  iceConfig: RTCConfiguration,
  events: ConnectionEvents,
): Connection {
  const peer = new SimplePeer({
    initiator: role === 'offerer',
    trickle: true,
    config: iceConfig,
    channelName: 'shoal-lossy',
    channelConfig: {
      negotiated: true,
      id: LOSSY_CHANNEL_ID,
      ordered: false,
      maxRetransmits: LOSSY_MAX_RETRANSMITS,
    },
  })
  let failure: Error | null = null
  peer.on('error', (error) => {
    failure = error
    events.onEnd(reasonOf(error.code), error)
  })
  peer.on('close', () => events.onEnd('ended', null))
  peer.on('signal', (data) => {
    if (isDescription(data)) events.onDescription(data.sdp, data.type)
    else if (isCandidate(data)) tellCandidate(data.candidate, events)
  })
  const { _pc: connection, _channel: lossy } = peer
  if (!connection || !lossy) throw failure ?? new Error('no RTCPeerConnection could be made')
  const control = connection.createDataChannel('shoal-control', { negotiated: true, id: CONTROL_CHANNEL_ID })
  listen('control', control, events)
  listen('lossy', lossy, events)
  lossy.bufferedAmountLowThreshold = LOSSY_BUFFER_LOW_BYTES
  lossy.onbufferedamountlow = () => events.onDrain()
  return {
    channels: { control, lossy },
    setRemote: ({ type, sdp }) => peer.signal({ type, sdp }),
    addCandidate: ({ candidate, sdpMid, sdpMLineIndex }) => {
      const init = { candidate, sdpMid, sdpMLineIndex: sdpMLineIndex ?? 0 }
      peer.signal({ type: 'candidate', candidate: init })
    },
    roundTrip: checkReader(connection),
    destroy: () => peer.destroy(),
  }
}

function listen(kind: ChannelKind, channel: RTCDataChannel, events: ConnectionEvents): void {
  channel.binaryType = 'arraybuffer'
  // In place of simple-peer's handler, which feeds its stream.
  channel.onmessage = (event) => events.onMessage(kind, event.data)
  channel.addEventListener('open', () => events.onChannelOpen(kind))
  channel.addEventListener('close', () => events.onEnd('ended', null))
  channel.addEventListener('error', (event) => {
    const { error } = event as RTCErrorEvent
    if (error.sctpCauseCode === USER_INITIATED_ABORT) events.onEnd('ended', null)
    else events.onEnd('transport-error', error)
  })
}

/**
 * Reads what ICE's checks took: its consent checks (RFC 7675) go on for the life of a connection, every
 * 2.5 s in Chromium. Browsers that do not count them give null.
 */
function checkReader(connection: RTCPeerConnection): () => Promise<number | null> {
  let seen = { answers: 0, seconds: 0 }
  return async () => {
    const now = { answers: 0, seconds: 0 }
    for (const stats of (await connection.getStats()).values()) {
      if (stats.type !== 'candidate-pair' || !stats.nominated) continue
      now.answers += stats.responsesReceived ?? 0
      now.seconds += stats.totalRoundTripTime ?? 0
    }
    const answers = now.answers - seen.answers
    const seconds = now.seconds - seen.seconds
    seen = now
    return answers > 0 && seconds >= 0 ? (seconds * 1000) / answers : null
  }
}

function reasonOf(code: unknown): LinkCloseReason | 'ended' {
  if (SIGNAL_ERRORS.includes(code)) return 'bad-signal'
  // A channel's own error event, which comes with it, says more.
  return CONNECTION_ERRORS.includes(code) || code === 'ERR_DATA_CHANNEL' ? 'ended' : 'transport-error'
}

function isDescription(data: {
  readonly type?: string
}): data is { readonly type: 'offer' | 'answer'; readonly sdp: string } {
  return (data.type === 'offer' || data.type === 'answer') && 'sdp' in data
}

function isCandidate(data: {
  readonly type?: string
}): data is { readonly type: 'candidate'; readonly candidate: RTCIceCandidateInit } {
  return data.type === 'candidate' && 'candidate' in data
}

function tellCandidate(init: RTCIceCandidateInit, events: ConnectionEvents): void {
  // An empty candidate says that there are no more.
  if (init.candidate) events.onCandidate(init.candidate, init.sdpMid ?? '0')
}
