import { CONTROL_CHANNEL_ID, LOSSY_CHANNEL_ID, LOSSY_MAX_RETRANSMITS } from '@shoal/core'
import nodeDataChannel, { type DataChannelInitConfig } from 'node-datachannel'

/** Labels of the two channels (docs/protocol.md, "Channels"). */
export const CONTROL_LABEL = 'shoal-control'
export const LOSSY_LABEL = 'shoal-lossy'

export const CONTROL_CONFIG: DataChannelInitConfig = { negotiated: true, id: CONTROL_CHANNEL_ID }
export const LOSSY_CONFIG: DataChannelInitConfig = {
  negotiated: true,
  id: LOSSY_CHANNEL_ID,
  unordered: true,
  maxRetransmits: LOSSY_MAX_RETRANSMITS,
}

/**
 * SCTP's buffers, in bytes. usrsctp keeps a message in its send buffer until it is acknowledged, so
 * that the buffer bounds the rate to its size per round trip: at 40 ms 256 KiB gave 1.1 MB/s, 1 MiB
 * 12 MB/s and 4 MiB 53 MB/s (measured).
 */
const SCTP_BUFFER_BYTES = 4 * 1024 * 1024

/** RFC 2581's; H-TCP (2) was three times slower under loss (measured). */
const CONGESTION_CONTROL_MODULE = 0

/**
 * From the closing of the channels to that of the connection, in milliseconds. The closing of channels
 * is a message that is repeated until it is answered; with the connection's alone, in 4 of 120 closes
 * Chromium was not told and would have noticed by ICE, 15 s later (measured; none of 240 this way).
 */
export const LINGER_MS = 100

/** What a send throws between the other side's close and its event: a closed channel, EPIPE, ECONNRESET. */
export const OTHER_SIDE_GONE = /closed|destroyed|errno=(?:32|104)\b/

let applied = false

/** usrsctp's settings are the process's: they hold for connections made after the first call. */
export function applySctpSettings(): void {
  if (applied) return
  applied = true
  nodeDataChannel.setSctpSettings({
    sendBufferSize: SCTP_BUFFER_BYTES,
    recvBufferSize: SCTP_BUFFER_BYTES,
    congestionControlModule: CONGESTION_CONTROL_MODULE,
  })
}
