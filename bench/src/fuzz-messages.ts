import type { FuzzRandom } from './fuzz-random.js'

type Json = unknown
type Fields = Record<string, Json>

/** Names that mean something to JavaScript, to the protocol, or to nobody. */
const ODD_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'info_hash',
  'shoal',
  'offers',
  'answer',
  'token',
  '',
  '\ud800',
  'é',
]

/** Values that some server somewhere did not expect. */
const ODD_VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  1.5,
  '',
  'x',
  '\ud800',
  '\udc00\ud800',
  '\u0000',
  '\uffff',
  '\u2028',
  'x'.repeat(20),
  'é'.repeat(20),
  'x'.repeat(17_000),
  [],
  [null],
  [[]],
  {},
  [null, null, null, null, null, null, null, null, null, null, null],
  ['__proto__'],
]

/** Texts that are no mutation of anything. */
const ODD_TEXTS = [
  'null',
  '0',
  '""',
  '[]',
  '{}',
  '',
  ' ',
  'true',
  'NaN',
  '1e999',
  '{"action":"announce"}',
  '{"__proto__":{"action":"announce"}}',
  '{"action":"announce","action":"scrape"}',
  '\ufeff{"action":"announce"}',
  '{"action":"scrape","info_hash":[]}',
  '"\\ud800"',
]

/**
 * What has ended trackers or made them pass on what a client wrote into another's message, by name and in
 * swarms that have peers: in place of the offers, of one of them, of an answer, and beside them.
 */
const NAMED: readonly string[] = [
  '"offers":[null]',
  '"offers":[null,{"offer_id":ID,"offer":null}]',
  '"offers":[{"offer_id":ID,"offer":{"type":"offer","sdp":"\\ud800"}}]',
  '"offers":[{"offer_id":ID,"offer":{"type":"offer","sdp":"a","__proto__":{"sdp":"b"}}}]',
  '"offers":[{"offer_id":ID,"offer":{"type":"offer","sdp":"a\\",\\"info_hash\\":\\"b"}}]',
  '"offers":[{"offer_id":"\\udc00\\ud8001234567890123456","offer":{"type":"offer","sdp":"a"}}]',
  '"offers":[{"to_peer_id":"\\ud800","offer_id":ID,"offer":{"type":"offer","sdp":"a"}}]',
  '"__proto__":{"offers":[null]},"offers":[]',
  '"shoal":{"v":1,"role":"viewer","__proto__":{"role":"seeder"}}',
  '"shoal":{"v":1,"role":"viewer","report":{"__proto__":null}}',
  '"to_peer_id":ID,"offer_id":ID,"answer":null',
  '"to_peer_id":"__proto__-----------","offer_id":ID,"answer":{"type":"answer","sdp":"\\udfff"}',
]

/** One message that a hostile client might send, as bytes of UTF-8, more or less. */
export function fuzzMessage(random: FuzzRandom): Buffer {
  const kind = random.next()
  if (kind < 0.03) return random.bytes(random.below(200))
  if (kind < 0.06) return Buffer.from(random.pick(ODD_TEXTS))
  if (kind < 0.07) return Buffer.from(deep(random))
  if (kind < 0.09) return Buffer.from(huge(random))
  if (kind < 0.11) return Buffer.from(named(random))
  const message = template(random)
  const mutations = random.below(4)
  for (let i = 0; i < mutations; i++) mutate(random, message)
  const text = spelt(random, JSON.stringify(message))
  return kind < 0.75 ? Buffer.from(text) : torn(random, Buffer.from(text))
}

function named(random: FuzzRandom): string {
  const [infoHash, peerId, other] = [id(random, 'hash', 8), id(random, 'peer', 200), id(random, 'offer', 50)]
  const ids = `"info_hash":${JSON.stringify(infoHash)},"peer_id":${JSON.stringify(peerId)}`
  return `{"action":"announce",${ids},${random.pick(NAMED).replaceAll('ID', JSON.stringify(other))}}`
}

/** Something that is well formed. */
function template(random: FuzzRandom): Fields {
  const common = { action: 'announce', info_hash: id(random, 'hash', 8), peer_id: id(random, 'peer', 200) }
  const shoal = { v: 1, role: random.pick(['viewer', 'seeder']) }
  switch (random.below(8)) {
    case 0:
      return { action: 'scrape', info_hash: random.chance(0.5) ? id(random, 'hash', 8) : hashes(random) }
    case 1:
      return { ...common, ...pairing(random), answer: { type: 'answer', sdp: sdp(random) } }
    case 2:
      return { ...common, ...pairing(random), shoal: { v: 1, candidates: candidates(random) } }
    case 3:
      return {
        ...common,
        event: random.pick(['started', 'completed', 'stopped', 'update', 'paused', '']),
        left: 0,
      }
    case 4:
      return {
        ...common,
        left: null,
        shoal: {
          ...shoal,
          report: report(random),
          name: 'Title',
          want: 1 + random.below(10),
          ...hints(random),
        },
      }
    case 5:
      return {
        ...common,
        left: 1,
        shoal: {
          ...shoal,
          token: 'a.b.c',
          accuse: [id(random, 'peer', 200)],
          http: 'http://127.0.0.1:1/main.m3u8',
        },
      }
    default: {
      const offers = Array.from({ length: 1 + random.below(12) }, () => ({
        ...(random.chance(0.3) ? { to_peer_id: random.chance(0.2) ? null : id(random, 'peer', 200) } : {}),
        offer_id: id(random, 'offer', 50),
        offer: { type: 'offer', sdp: sdp(random) },
      }))
      return { ...common, left: 1, ...(random.chance(0.5) ? { shoal } : {}), offers }
    }
  }
}

function pairing(random: FuzzRandom): Fields {
  return { to_peer_id: id(random, 'peer', 200), offer_id: id(random, 'offer', 50) }
}

function id(random: FuzzRandom, name: string, count: number): string {
  return `${name}\u00ff\u0000${random.below(count)}`.padEnd(20, '-').slice(0, 20)
}

function hashes(random: FuzzRandom): string[] {
  return Array.from({ length: random.below(70) }, () => id(random, 'hash', 8))
}

function sdp(random: FuzzRandom): string {
  return `v=0\r\n${'a=x\r\n'.repeat(random.below(20))}${random.chance(0.1) ? '\ud83d\ude00"\\' : ''}`
}

function candidates(random: FuzzRandom): Fields[] {
  const candidate = 'candidate:1 1 UDP 2122317823 127.0.0.1 50000 typ host'
  return Array.from({ length: random.below(23) }, () => ({ candidate, sdpMid: '0', sdpMLineIndex: 0 }))
}

function report(random: FuzzRandom): Fields {
  const some = () => random.below(1e9)
  return { http: some(), peers: some(), seeders: some(), uploaded: some(), links: 3, stalls: random.below(9) }
}

function hints(random: FuzzRandom): Fields {
  return {
    uplink: random.below(1e7),
    uploads: true,
    slots: 4,
    playhead: 3.5,
    nat: 'cone',
    degree: 5,
    ok: 1,
    failed: 0,
  }
}

/** Changes one place of the tree. */
function mutate(random: FuzzRandom, root: Fields): void {
  let node: Json = root
  for (let depth = random.below(4); depth > 0; depth--) {
    const keys = Object.keys(node as Fields)
    const next = keys.length === 0 ? undefined : (node as Fields)[random.pick(keys)]
    if (typeof next !== 'object' || next === null) break
    node = next
  }
  const target = node as Fields
  const keys = Object.keys(target)
  const known = keys.length > 0 && random.chance(0.7)
  const odd = Array.isArray(target) ? `${random.below(12)}` : random.pick(ODD_KEYS)
  const key = known ? random.pick(keys) : odd
  if (random.chance(0.2)) {
    delete target[key]
    return
  }
  // Defined, not assigned: `__proto__` is to be a key of its own.
  const value = random.chance(0.1) ? nested(random) : oddValue(random)
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** One of its own: what is put into a tree may be changed there. */
function oddValue(random: FuzzRandom): Json {
  return structuredClone(random.pick(ODD_VALUES))
}

function nested(random: FuzzRandom): Json {
  let value = oddValue(random)
  for (let depth = random.below(60); depth > 0; depth--) value = random.chance(0.5) ? [value] : { a: value }
  return value
}

/** The same JSON written in another way. */
function spelt(random: FuzzRandom, text: string): string {
  if (random.chance(0.9)) return text
  if (random.chance(0.3)) return text.replaceAll('a', '\\u0061')
  if (random.chance(0.3)) return text.replaceAll(',', ' ,\n\t').replaceAll(':', ': ')
  if (random.chance(0.5)) return text.replace('}', ',"action":"announce"}')
  return text.replaceAll('"', random.pick(["'", '\u201c', '\\"']))
}

/** Bytes changed, lost, doubled or cut off. */
function torn(random: FuzzRandom, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes
  const at = random.below(bytes.length)
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      bytes[at] = random.below(256)
      return bytes
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(8)), bytes.subarray(at)])
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))])
  }
}

function deep(random: FuzzRandom): string {
  const depth = 1 + random.below(20_000)
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"shoal":', '}'],
    ['{"offers":[', ']}'],
  ] as const)
  const count = Math.min(depth, Math.floor(30_000 / open.length))
  return `${open.repeat(count)}0${random.chance(0.5) ? close.repeat(count) : ''}`
}

/** Near the largest message, or beyond it. */
function huge(random: FuzzRandom): string {
  const filler = 'x'.repeat(60_000 + random.below(8000))
  const info_hash = id(random, 'hash', 8)
  const peer_id = id(random, 'peer', 200)
  return random.pick([
    filler,
    JSON.stringify({ action: 'announce', info_hash, peer_id, trackerid: filler }),
    JSON.stringify({
      action: 'announce',
      info_hash,
      peer_id,
      offers: Array.from({ length: 5000 }, () => null),
    }),
    `{"action":"announce","a":[${'0,'.repeat(28_000)}0]}`,
  ])
}
