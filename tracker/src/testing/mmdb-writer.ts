import { readPrefix } from '../locality/address.js'

/** A value of a record: the types that databases of places use. */
export type MmdbValue = string | number | readonly MmdbValue[] | { readonly [key: string]: MmdbValue }

const TYPE = { string: 2, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const

/** Zeros between the search tree and the data (MaxMind DB format 2.0). */
const SEPARATOR_BYTES = 16

/** Bytes before the metadata. */
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')

/** A node's two ways: to another node, to a record, or to nothing. */
type Way = Node | { readonly record: number } | null
interface Node {
  index: number
  readonly ways: [Way, Way]
}

/**
 * Writes a database in the MaxMind DB format 2.0, with records of 24 bits, as small as tests need
 * one. Of nested prefixes the wider one must come first.
 *
 * @param version 4 for a tree of IPv4 addresses; in one of version 6 they are at ::/96
 */
export function writeMmdb(entries: readonly (readonly [string, MmdbValue])[], version: 4 | 6 = 6): Buffer {
  const data: Buffer[] = []
  let dataBytes = 0
  const root: Node = { index: 0, ways: [null, null] }
  for (const [text, value] of entries) {
    const prefix = readPrefix(text)
    if (prefix === null) throw new Error(`no prefix: ${text}`)
    const shift = version === 6 && prefix.kind === 'ipv4' ? 96 : 0
    const bits = [...Array<number>(shift).fill(0), ...bitsOf(prefix.bytes).slice(0, prefix.length)]
    insert(root, bits, { record: dataBytes })
    const encoded = encode(value)
    data.push(encoded)
    dataBytes += encoded.length
  }
  const nodes = numbered(root)
  const tree = Buffer.alloc(nodes.length * 6)
  for (const { index, ways } of nodes) {
    for (const [side, way] of ways.entries()) {
      tree.writeUIntBE(recordOf(way, nodes.length), index * 6 + side * 3, 3)
    }
  }
  return Buffer.concat([
    tree,
    Buffer.alloc(SEPARATOR_BYTES),
    ...data,
    MARKER,
    metadata(nodes.length, version),
  ])
}

function bitsOf(bytes: readonly number[]): number[] {
  return bytes.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (byte >> bit) & 1))
}

function insert(root: Node, bits: readonly number[], record: { readonly record: number }): void {
  let node = root
  for (const [at, bit] of bits.entries()) {
    const side = bit === 1 ? 1 : 0
    const way = node.ways[side]
    if (at === bits.length - 1) node.ways[side] = record
    else if (way !== null && 'ways' in way) node = way
    else {
      // A longer prefix below a wider one: the rest of that one keeps its record.
      const next: Node = { index: 0, ways: [way, way] }
      node.ways[side] = next
      node = next
    }
  }
}

function numbered(root: Node): Node[] {
  const nodes: Node[] = [root]
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]
    if (node === undefined) break
    node.index = at
    for (const way of node.ways) if (way !== null && 'ways' in way) nodes.push(way)
  }
  return nodes
}

function recordOf(way: Way, nodeCount: number): number {
  if (way === null) return nodeCount
  return 'ways' in way ? way.index : nodeCount + SEPARATOR_BYTES + way.record
}

function metadata(nodeCount: number, version: 4 | 6): Buffer {
  return map([
    ['binary_format_major_version', number(TYPE.uint16, 2)],
    ['binary_format_minor_version', number(TYPE.uint16, 0)],
    ['build_epoch', number(TYPE.uint64, 1_700_000_000)],
    ['database_type', encode('Shoal-Test')],
    ['description', encode({ en: 'for tests' })],
    ['ip_version', number(TYPE.uint16, version)],
    ['languages', encode(['en'])],
    ['node_count', number(TYPE.uint32, nodeCount)],
    ['record_size', number(TYPE.uint16, 24)],
  ])
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'number') return number(TYPE.uint32, value)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([control(TYPE.string, bytes.length), bytes])
  }
  if (Array.isArray(value)) {
    return Buffer.concat([control(TYPE.array, value.length), ...value.map((entry) => encode(entry))])
  }
  return map(Object.entries(value).map(([key, entry]) => [key, encode(entry)]))
}

function map(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = entries.flatMap(([key, value]) => [encode(key), value])
  return Buffer.concat([control(TYPE.map, entries.length), ...parts])
}

function number(type: number, value: number): Buffer {
  const digits = value === 0 ? '' : value.toString(16)
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return Buffer.concat([control(type, bytes.length), bytes])
}

/** Type and size; sizes from 29 have a byte more, types from 8 too. */
function control(type: number, size: number): Buffer {
  if (size > 284) throw new Error(`too long for a test: ${size}`)
  const short = Math.min(size, 29)
  const bytes = type <= 7 ? [(type << 5) | short] : [short, type - 7]
  return Buffer.from(size < 29 ? bytes : [...bytes, size - 29])
}
