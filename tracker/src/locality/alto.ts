import { hash32, readPrefix } from './address.js'
import { PrefixTable } from './prefix-table.js'
import type { Found, Source } from './source.js'
import { LocalityError } from './source.js'

type Fields = Readonly<Record<string, unknown>>

/** Entries of a cost map at most: 2,000 PIDs with each other. */
const MAX_COSTS = 4_000_000

/** How messages name the files. */
const NETWORK_MAP = 'network map'
const COST_MAP = 'cost map'

const MAX_PREFIXES = 4_000_000

/** A PID name has at most 64 characters of these, RFC 7285 section 10.1. */
const PID = /^[A-Za-z0-9\-:@_.]{1,64}$/

/** A network map as read, and the version tag that cost maps refer to. */
export interface NetworkMap extends Source {
  readonly pids: ReadonlySet<string>
  /** Null in a map without one. */
  readonly tag: string | null
}

/** Costs from PID to PID (by `hash32`), scaled to 0..100. */
export type CostMap = ReadonlyMap<number, ReadonlyMap<number, number>>

/**
 * Reads an ALTO network map (RFC 7285 section 11.2.1).
 *
 * @throws LocalityError
 */
export function readNetworkMap(text: string): NetworkMap {
  const root = parse(text, NETWORK_MAP)
  const map = objectAt(root, 'network-map', NETWORK_MAP)
  const table = new PrefixTable<Found>()
  let prefixes = 0
  for (const pid of Object.keys(map)) {
    if (!PID.test(pid))
      throw new LocalityError(`${NETWORK_MAP}: network-map: "${pid.slice(0, 70)}" is no PID name`)
    const groups = objectAt(map, pid, NETWORK_MAP, 'network-map.')
    const found: Found = { pid }
    for (const kind of ['ipv4', 'ipv6'] as const) {
      const key = `network-map.${pid}.${kind}`
      for (const entry of listAt(groups, kind, key, NETWORK_MAP)) {
        const prefix = typeof entry === 'string' ? readPrefix(entry) : null
        if (prefix?.kind !== kind) {
          throw new LocalityError(
            `${NETWORK_MAP}: ${key}: ${JSON.stringify(entry)?.slice(0, 60)} is no prefix`,
          )
        }
        prefixes++
        if (prefixes > MAX_PREFIXES)
          throw new LocalityError(`${NETWORK_MAP}: more than ${MAX_PREFIXES} prefixes`)
        table.add(prefix, found)
      }
    }
  }
  if (prefixes === 0) throw new LocalityError(`${NETWORK_MAP}: network-map: no prefixes`)
  table.build()
  const tag = objectOf(objectOf(root['meta'])['vtag'])['tag']
  return {
    find: (address) => table.find(address) ?? null,
    pids: new Set(Object.keys(map)),
    tag: typeof tag === 'string' ? tag : null,
  }
}

/**
 * Reads an ALTO cost map (RFC 7285 section 11.2.3) for a network map. Numerical costs are scaled so
 * that the largest is 100, ordinal ones by their rank.
 *
 * @throws LocalityError
 */
export function readCostMap(text: string, network: NetworkMap): CostMap {
  const root = parse(text, COST_MAP)
  const meta = objectOf(root['meta'])
  checkTag(meta, network)
  const ordinal = objectOf(meta['cost-type'])['cost-mode'] === 'ordinal'
  const raw = objectAt(root, 'cost-map', COST_MAP)
  const costs = new Map<number, Map<number, number>>()
  let count = 0
  let highest = 0
  const distinct = new Set<number>()
  for (const from of Object.keys(raw)) {
    const row = new Map<number, number>()
    for (const [to, cost] of Object.entries(objectAt(raw, from, COST_MAP, 'cost-map.'))) {
      const key = `cost-map.${from}.${to}`.slice(0, 160)
      for (const pid of [from, to]) {
        if (!network.pids.has(pid))
          throw new LocalityError(`${COST_MAP}: ${key}: the network map has no such PID`)
      }
      if (typeof cost !== 'number' || !Number.isFinite(cost) || cost < 0) {
        throw new LocalityError(`${COST_MAP}: ${key}: not a number from 0`)
      }
      count++
      if (count > MAX_COSTS) throw new LocalityError(`${COST_MAP}: cost-map: more than ${MAX_COSTS} costs`)
      highest = Math.max(highest, cost)
      if (ordinal) distinct.add(cost)
      row.set(hash32(to), cost)
    }
    costs.set(hash32(from), row)
  }
  if (count === 0) throw new LocalityError(`${COST_MAP}: cost-map: no costs`)
  const scale = ordinal ? byRank(distinct) : (cost: number) => (highest === 0 ? 0 : (100 * cost) / highest)
  for (const row of costs.values()) for (const [to, cost] of row) row.set(to, scale(cost))
  return costs
}

/** A cost map of an earlier network map would give the costs of other places. */
function checkTag(meta: Fields, { tag }: NetworkMap): void {
  const list = meta['dependent-vtags']
  if (tag === null || !Array.isArray(list) || list.length === 0) return
  if (!list.some((entry) => objectOf(entry)['tag'] === tag)) {
    throw new LocalityError(
      `${COST_MAP}: meta.dependent-vtags: not of the network map with tag ${tag.slice(0, 64)}`,
    )
  }
}

function byRank(distinct: ReadonlySet<number>): (cost: number) => number {
  const sorted = [...distinct].sort((a, b) => a - b)
  const ranks = new Map(sorted.map((cost, rank) => [cost, rank]))
  const top = Math.max(1, sorted.length - 1)
  return (cost) => (100 * (ranks.get(cost) ?? 0)) / top
}

function parse(text: string, file: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const what = (error as Error).message.replace(/\s+/g, ' ').slice(0, 200)
    throw new LocalityError(`${file}: ${lineOf(text, what)}not JSON (${what})`)
  }
  if (typeof value !== 'object' || value === null) throw new LocalityError(`${file}: not a JSON object`)
  return value as Fields
}

/** `line N: ` where the message says at which character the text stops being JSON. */
function lineOf(text: string, message: string): string {
  const position = /position (\d+)/.exec(message)?.[1]
  return position === undefined ? '' : `line ${text.slice(0, Number(position)).split('\n').length}: `
}

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function objectAt(fields: Fields, key: string, file: string, path = ''): Fields {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LocalityError(`${file}: ${path}${key}: not an object`)
  }
  return value as Fields
}

function listAt(fields: Fields, kind: string, key: string, file: string): readonly unknown[] {
  const value = fields[kind]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new LocalityError(`${file}: ${key}: not a list`)
  return value
}
