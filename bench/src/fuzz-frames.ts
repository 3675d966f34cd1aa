import type { FuzzRandom } from './fuzz-random.js'

/** Opcodes of RFC 6455 section 5.2. */
const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

interface Bits {
  readonly final?: boolean
  /** Reserved bits, 0 to 7. */
  readonly reserved?: number
  readonly masked?: boolean
  /** The length that the header says; the payload's own when left out. */
  readonly length?: bigint
}

/** Bytes for the socket, in pieces that are written one after the other, with a wait between them. */
export interface Frames {
  readonly pieces: readonly Buffer[]
  /** The socket can go on afterwards: the tracker has no reason to end it, or to wait for more. */
  readonly sound: boolean
}

/** One message as frames: mostly one, sometimes several, late, or against the specification. */
export function fuzzFrames(random: FuzzRandom, payload: Buffer): Frames {
  const kind = random.next()
  const opcode = random.chance(0.8) ? TEXT : BINARY
  if (kind < 0.85) return { pieces: [frame(opcode, payload)], sound: true }
  if (kind < 0.93) return { pieces: [Buffer.concat(fragments(random, opcode, payload))], sound: true }
  if (kind < 0.97) return { pieces: cut(random, frame(opcode, payload)), sound: true }
  if (kind < 0.99)
    return { pieces: [frame(random.pick([PING, PONG]), payload.subarray(0, 125))], sound: true }
  return { pieces: [violation(random, payload)], sound: false }
}

/** A well-formed frame of text. */
export function frame(opcode: number, payload: Buffer, bits: Bits = {}): Buffer {
  const { final = true, reserved = 0, masked = true, length = BigInt(payload.length) } = bits
  const head = Buffer.alloc(14)
  head[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = masked ? 0x80 : 0
  let at = 2
  if (length < 126n) head[1] = mask | Number(length)
  else if (length < 65_536n) {
    head[1] = mask | 126
    at = head.writeUInt16BE(Number(length), 2)
  } else {
    head[1] = mask | 127
    at = head.writeBigUInt64BE(length, 2)
  }
  // A mask of zeros changes no byte.
  return Buffer.concat([head.subarray(0, masked ? at + 4 : at), payload])
}

/** In several frames, with pings between them (RFC 6455 section 5.4). */
function fragments(random: FuzzRandom, opcode: number, payload: Buffer): Buffer[] {
  const frames: Buffer[] = []
  const count = 2 + random.below(6)
  for (let i = 0; i < count; i++) {
    const part = payload.subarray(
      Math.floor((payload.length * i) / count),
      Math.floor((payload.length * (i + 1)) / count),
    )
    frames.push(frame(i === 0 ? opcode : CONTINUATION, part, { final: i === count - 1 }))
    if (random.chance(0.3)) frames.push(frame(PING, Buffer.from('p')))
  }
  return frames
}

/** Pieces of a frame that comes as slowly as can be, and the share of cut frames that do. */
const DRIBBLED_PIECES = 200
const DRIBBLED_SHARE = 0.02

/** One frame that arrives in pieces. */
function cut(random: FuzzRandom, bytes: Buffer): Buffer[] {
  if (random.chance(DRIBBLED_SHARE)) {
    const size = Math.ceil(bytes.length / DRIBBLED_PIECES)
    const count = Math.ceil(bytes.length / size)
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  }
  const at = 1 + random.below(bytes.length - 1)
  const next = at + random.below(bytes.length - at)
  return [bytes.subarray(0, at), bytes.subarray(at, next), bytes.subarray(next)].filter(
    ({ length }) => length > 0,
  )
}

function violation(random: FuzzRandom, payload: Buffer): Buffer {
  switch (random.below(8)) {
    case 0:
      return frame(TEXT, payload, { masked: false })
    case 1:
      return frame(TEXT, payload, { reserved: 1 + random.below(7) })
    case 2:
      return frame(random.pick([3, 7, 11, 15]), payload.subarray(0, 100))
    case 3:
      return frame(TEXT, payload, { length: random.pick([2n ** 63n, 2n ** 40n, 70_000n]) })
    case 4:
      return frame(CONTINUATION, payload)
    case 5:
      return frame(PING, Buffer.alloc(126 + random.below(100)))
    case 6:
      return frame(CLOSE, Buffer.from([0x00, random.below(256), 0xff]))
    default:
      return random.bytes(1 + random.below(300))
  }
}
