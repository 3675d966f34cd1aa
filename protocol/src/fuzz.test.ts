import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carriedMessages } from '../test/arbitraries.js'
import { SeededRandom } from '../test/random.js'
import { fromHex, readVectors } from '../test/vectors.js'
import { decodeMessage } from './decode.js'
import { encodeMessage } from './encode.js'
import type { DecodeErrorCode } from './errors.js'
import { DecodeError } from './errors.js'
import { MAX_CONTROL_MESSAGE_BYTES, MAX_LOSSY_MESSAGE_BYTES } from './limits.js'
import type { ChannelKind, PeerMessage } from './messages.js'
import { MessageType } from './messages.js'

const CHANNELS: readonly ChannelKind[] = ['lossy', 'control']
const CODES: ReadonlySet<DecodeErrorCode> = new Set([
  'empty',
  'truncated',
  'trailing-bytes',
  'unknown-type',
  'unknown-version',
  'too-large',
  'bad-value',
])
const TYPE_CODES = Object.values(MessageType)

/** Everything in a decoded message whose size the sender chose: views, and entries that are none. */
function contentsOf(message: PeerMessage): { readonly items: number; readonly views: readonly Uint8Array[] } {
  switch (message.type) {
    case 'hello':
      return { items: 0, views: [message.swarmId] }
    case 'manifest': {
      const { hashes, signature } = message.manifest
      return { items: 0, views: signature === null ? hashes : [...hashes, signature.bytes] }
    }
    case 'have':
      return { items: message.entries.length, views: [] }
    case 'request':
      return { items: message.chunks.length, views: [] }
    case 'cancel':
      return { items: message.requestIds.length, views: [] }
    case 'data':
      return { items: 0, views: [message.payload] }
    default:
      return { items: 0, views: [] }
  }
}

/** Nothing is copied, and nothing is larger than the input pays for. */
function assertBounded(message: PeerMessage, input: Uint8Array): void {
  const { items, views } = contentsOf(message)
  let total = items
  for (const view of views) {
    total += view.byteLength
    const inside =
      view.buffer === input.buffer &&
      view.byteOffset >= input.byteOffset &&
      view.byteOffset + view.byteLength <= input.byteOffset + input.byteLength
    if (!inside) throw new Error(`a view outside the input in ${message.type}`)
  }
  if (total > input.byteLength) throw new Error(`${total} decoded from ${input.byteLength} bytes`)
}

/**
 * Decodes and asserts the contract: a bounded message that encodes to the same bytes, or a
 * `DecodeError` of a known code. Plain comparisons: an `expect` each would take most of the time.
 */
function decodes(input: Uint8Array, channel: ChannelKind): boolean {
  let message: PeerMessage
  try {
    message = decodeMessage(input, channel)
  } catch (error) {
    if (error instanceof DecodeError && CODES.has(error.code)) return false
    throw error
  }
  assertBounded(message, input)
  const again = encodeMessage(message)
  if (Buffer.compare(again, input) !== 0) {
    throw new Error(`not canonical on ${channel}: ${Buffer.from(input).toString('hex')}`)
  }
  return true
}

/** The input in the midst of a larger buffer, as a socket library hands it out. */
function embedded(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.byteLength + 12).fill(0xa5)
  buffer.set(bytes, 7)
  return buffer.subarray(7, 7 + bytes.byteLength)
}

interface Vector {
  readonly channel: ChannelKind
  readonly hex: string
}
const VECTORS = Object.keys({ ...carriedMessages })
  .map((name) => name.replace(/ on .*/, ''))
  .filter((name, index, names) => names.indexOf(name) === index)
  .flatMap((name) => readVectors<Vector[]>(name))
  .map(({ hex }) => fromHex(hex))

const VALID: readonly Uint8Array[] = Object.values(carriedMessages).flatMap((arbitrary, index) =>
  fc
    .sample<{ readonly message: PeerMessage }>(arbitrary, { numRuns: 60, seed: 100 + index })
    .map(({ message }) => encodeMessage(message)),
)

/** Lengths that matter: short ones, those around the limits, and any. */
function anyLength(random: SeededRandom): number {
  switch (random.below(16)) {
    case 0:
      return MAX_LOSSY_MESSAGE_BYTES - 2 + random.below(5)
    case 1:
      return random.below(MAX_LOSSY_MESSAGE_BYTES)
    default:
      return random.below(80)
  }
}

/** Bytes with which fields overflow, lengths lie and counts do not add up. */
const EDGES = [0, 1, 2, 3, 4, 0x3f, 0x40, 0x41, 0x7f, 0x80, 0xfe, 0xff]

function mutate(random: SeededRandom, message: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(message)
  for (let n = random.below(3); n >= 0; n--) {
    // Half of the changes hit the first 40 bytes, where the headers are.
    const at = random.below(random.below(2) === 0 ? Math.min(40, bytes.length) : bytes.length)
    bytes[at] = random.below(2) === 0 ? random.pick(EDGES) : random.bits()
  }
  return bytes
}

function splice(random: SeededRandom): Uint8Array {
  const head = random.pick(VALID)
  const tail = random.pick(VALID)
  const bytes = [...head.subarray(0, random.below(head.length)), ...tail.subarray(random.below(tail.length))]
  return Uint8Array.from(bytes.slice(0, MAX_CONTROL_MESSAGE_BYTES + 1))
}

function resized(random: SeededRandom): Uint8Array {
  const message = random.pick(VALID)
  if (random.below(2) === 0) return message.subarray(0, random.below(message.length))
  const longer = random.bytes(message.length + 1 + random.below(8))
  longer.set(message)
  return longer
}

function headedJunk(random: SeededRandom): Uint8Array {
  const bytes = random.bytes(1 + anyLength(random))
  bytes[0] = random.pick(TYPE_CODES)
  // Small counts now and then, so that the junk behind them is read as entries.
  for (let at = 5; at < bytes.length; at++) if (random.below(4) === 0) bytes[at] = random.below(5)
  return bytes
}

const SOURCES: Readonly<Record<string, { runs: number; make: (random: SeededRandom) => Uint8Array }>> = {
  'random buffers': { runs: 40_000, make: (random) => random.bytes(anyLength(random)) },
  'a valid type and junk': { runs: 50_000, make: headedJunk },
  'changed messages': { runs: 60_000, make: (random) => mutate(random, random.pick(VALID)) },
  'cut and lengthened messages': { runs: 30_000, make: resized },
  'two messages spliced': { runs: 6_000, make: splice },
}

describe('any bytes are a bounded, canonical message or a DecodeError', () => {
  it('every golden message itself', () => {
    for (const bytes of VECTORS) {
      expect(CHANNELS.some((channel) => decodes(embedded(bytes), channel))).toBe(true)
    }
  })

  it('every truncation of every golden message', () => {
    for (const bytes of VECTORS) {
      const input = embedded(bytes)
      for (let length = 0; length < input.length; length++) {
        for (const channel of CHANNELS) {
          const valid = decodes(input.subarray(0, length), channel)
          // Only Data takes what is there; all else has an exact length.
          if (valid && input[0] !== MessageType.data) throw new Error(`valid when cut to ${length}`)
        }
      }
    }
  })

  it('every single bit of every golden message', () => {
    // The long Haves repeat one shape: their first entries stand for the rest.
    const checkedBytes = 2_200
    for (const bytes of VECTORS) {
      const input = embedded(bytes)
      for (let at = 0; at < Math.min(input.length, checkedBytes); at++) {
        for (let bit = 1; bit < 256; bit <<= 1) {
          const before = input[at] ?? 0
          input[at] = before ^ bit
          for (const channel of CHANNELS) decodes(input, channel)
          input[at] = before
        }
      }
    }
  })

  it.each(Object.entries(SOURCES))('%s', (_name, { runs, make }) => {
    const random = new SeededRandom(20_251)
    let inputs = 0
    for (let i = 0; i < runs; i++) {
      const input = embedded(make(random))
      for (const channel of CHANNELS) {
        decodes(input, channel)
        inputs++
      }
    }
    expect(inputs).toBe(2 * runs)
  })

  it('the fuzzer reaches valid messages and every code', () => {
    const random = new SeededRandom(7)
    const seen = new Map<string, number>()
    const count = (key: string) => seen.set(key, (seen.get(key) ?? 0) + 1)
    for (const { make } of Object.values(SOURCES)) {
      for (let i = 0; i < 4_000; i++) {
        const input = make(random)
        for (const channel of CHANNELS) {
          try {
            count(decodeMessage(input, channel).type)
          } catch (error) {
            count(error instanceof DecodeError ? error.code : 'other')
          }
        }
      }
    }
    const control = ['hello', 'goodbye', 'token', 'manifest-request', 'manifest', 'hashes']
    const names = [...control, 'have', 'request', 'cancel', 'data']
    expect([...seen.keys()].sort()).toEqual([...names, ...CODES].sort())
  })
})
