import type { InfoHash, Verdict } from '@shoal/protocol'
import { isBinaryString20, readAnnouncedKeys, readVerdicts } from '@shoal/protocol'
import type { NodeId } from './bus.js'
import type { NodeCounts } from './counts.js'
import { readCounts } from './counts.js'
import { isAddress, isNodeId, isWhole, MAX_ENTRIES, MAX_FRAME_BYTES, VERSION } from './frame-fields.js'
import { packer, unpacked } from './packer.js'

/** What a node tells all others. */
export type News =
  /** It lives; its counts have been told up to this number. `ask`: the others shall say so too. */
  | { readonly type: 'beat'; readonly node: NodeId; readonly serial: number; readonly ask: boolean }
  | {
      readonly type: 'counts'
      readonly node: NodeId
      readonly serial: number
      readonly entries: readonly (readonly [InfoHash, NodeCounts])[]
    }
  | { readonly type: 'bye'; readonly node: NodeId }
  /** It has banned an address from a swarm. */
  | { readonly type: 'ban'; readonly node: NodeId; readonly infoHash: InfoHash; readonly address: string }
  | IntegrityNews

/** What concerns the swarm's viewers at every node. */
export type IntegrityNews =
  /** Keys of own seeders. */
  | {
      readonly type: 'vouched'
      readonly node: NodeId
      readonly infoHash: InfoHash
      readonly keys: readonly string[]
    }
  /** A verdict for all viewers. */
  | {
      readonly type: 'disputed'
      readonly node: NodeId
      readonly infoHash: InfoHash
      readonly verdict: Verdict
    }

const NEWS = { beat: 0, counts: 1, bye: 2, vouched: 3, disputed: 4, ban: 5 } as const

export function packNews(news: News): Uint8Array {
  switch (news.type) {
    case 'beat':
      return packer.pack([VERSION, news.node, NEWS.beat, news.serial, news.ask])
    case 'counts':
      return packer.pack([VERSION, news.node, NEWS.counts, news.serial, news.entries.map(entryFields)])
    case 'bye':
      return packer.pack([VERSION, news.node, NEWS.bye])
    case 'vouched':
      return packer.pack([VERSION, news.node, NEWS.vouched, news.infoHash, news.keys])
    case 'disputed':
      return packer.pack([VERSION, news.node, NEWS.disputed, news.infoHash, news.verdict])
    case 'ban':
      return packer.pack([VERSION, news.node, NEWS.ban, news.infoHash, news.address])
  }
}

/** Null for what is no news of this version. */
export function readNews(bytes: Uint8Array): News | null {
  const fields = frameFields(bytes)
  if (fields === null) return null
  const [, node, kind, serial, more] = fields
  if (!isNodeId(node)) return null
  if (kind === NEWS.bye) return { type: 'bye', node }
  if (kind === NEWS.vouched || kind === NEWS.disputed) return readIntegrityNews(node, kind, serial, more)
  if (kind === NEWS.ban) {
    if (!isBinaryString20(serial) || !isAddress(more)) return null
    return { type: 'ban', node, infoHash: serial as InfoHash, address: more }
  }
  if (!isWhole(serial)) return null
  if (kind === NEWS.beat) return { type: 'beat', node, serial, ask: more === true }
  if (kind !== NEWS.counts || !Array.isArray(more) || more.length > MAX_ENTRIES) return null
  const entries: (readonly [InfoHash, NodeCounts])[] = []
  for (const entry of more as unknown[]) {
    if (!Array.isArray(entry) || !isBinaryString20(entry[0])) return null
    const counts = readCounts(entry.slice(1))
    if (counts === null) return null
    entries.push([entry[0] as InfoHash, counts])
  }
  return { type: 'counts', node, serial, entries }
}

function readIntegrityNews(
  node: NodeId,
  kind: typeof NEWS.vouched | typeof NEWS.disputed,
  hash: unknown,
  value: unknown,
): IntegrityNews | null {
  if (!isBinaryString20(hash)) return null
  const infoHash = hash as InfoHash
  if (kind === NEWS.vouched) {
    const keys = readAnnouncedKeys(value)
    return keys === null ? null : { type: 'vouched', node, infoHash, keys }
  }
  try {
    const [verdict] = readVerdicts([value])
    return verdict === undefined ? null : { type: 'disputed', node, infoHash, verdict }
  } catch {
    return null
  }
}

function frameFields(bytes: Uint8Array): unknown[] | null {
  if (bytes.byteLength > MAX_FRAME_BYTES) return null
  const fields = unpacked(bytes)
  return Array.isArray(fields) && fields[0] === VERSION ? fields : null
}

function entryFields([infoHash, counts]: readonly [InfoHash, NodeCounts]): unknown[] {
  const { viewers, seeders, otherLeechers, otherSeeders, downloaded } = counts
  return [infoHash, viewers, seeders, otherLeechers, otherSeeders, downloaded]
}
