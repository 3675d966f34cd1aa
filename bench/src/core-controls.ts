import { webcrypto } from 'node:crypto'
import { decodeMessage, encodeMessage, type PeerMessage } from '@shoal/protocol'
import type { Effect, Input } from '../../core/dist/engine/io.js'
import type { Recording } from './core-recording.js'
import { type Cost, costOf } from './core-replay.js'

type Message = Extract<Input, { type: 'message' }>
type Send = Extract<Effect, { type: 'send' }>

/** What the engine was given and gave in the window, by what it costs beside decisions. */
export interface Traffic {
  readonly received: readonly Message[]
  /** What was sent, as the values that it was encoded from. */
  readonly sentMessages: readonly PeerMessage[]
  /** Types of what was received, Data left out. */
  readonly controlTypes: ReadonlySet<string>
  /** Payloads of Data that came: what the engine must copy into segments. */
  readonly payloads: readonly Uint8Array[]
  /** What was to be hashed. */
  readonly hashed: readonly Uint8Array[]
  readonly httpBytes: number
  readonly uploadedBytes: number
}

/** The window's traffic. */
export function trafficOf(recording: Recording): Traffic {
  const window = recording.inputs.slice(recording.windowStart)
  const effects = recording.effects.slice(recording.windowEffects)
  const received = window.filter((input): input is Message & Input => input.type === 'message')
  const messages = received.map(({ bytes, channel }) => decodeMessage(bytes, channel))
  const sent = effects.filter((effect): effect is Send => effect.type === 'send')
  const sentMessages = sent.map(({ bytes, channel }) => decodeMessage(bytes, channel))
  return {
    received,
    sentMessages,
    controlTypes: new Set(messages.map(({ type }) => type).filter((type) => type !== 'data')),
    payloads: payloadsOf(messages),
    hashed: effects.flatMap((effect) => (effect.type === 'hash' ? [effect.bytes] : [])),
    httpBytes: total(window.flatMap((input) => (input.type === 'http-data' ? [input.bytes] : []))),
    uploadedBytes: total(payloadsOf(sentMessages)),
  }
}

function payloadsOf(messages: readonly PeerMessage[]): Uint8Array[] {
  return messages.flatMap((message) => (message.type === 'data' ? [message.payload] : []))
}

/** Bytes of all. */
export function total(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0)
}

/** Results are kept here, so that no compiler leaves out what made them. */
export const sink = { value: 0 }

export function decodeAll({ received }: Traffic): Cost {
  return costOf(() => {
    for (const { bytes, channel } of received) {
      sink.value += decodeMessage(bytes, channel).swarmTag
    }
  })
}

export function encodeAll({ sentMessages }: Traffic): Cost {
  return costOf(() => {
    for (const message of sentMessages) sink.value += encodeMessage(message).byteLength
  })
}

/** Control row: the payloads copied into one buffer, as the engine must, and nothing decided. */
export function copyAll({ payloads }: Traffic, into: Uint8Array): Cost {
  return costOf(() => {
    let at = 0
    for (const payload of payloads) {
      if (at + payload.byteLength > into.byteLength) at = 0
      into.set(payload, at)
      at += payload.byteLength
    }
    sink.value += into[0] ?? 0
  })
}

/** SHA-256 by WebCrypto, one after the other as they come in a player. */
export async function hashAll({ hashed }: Traffic): Promise<Cost> {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  for (const bytes of hashed) {
    const digest = await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
    sink.value += digest.byteLength
  }
  const wallMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs }
}
