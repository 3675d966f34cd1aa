import { type Millis, millis } from '@shoal/protocol'
import type { ResourceRef } from './playlist.js'

/** A partial segment (EXT-X-PART, RFC 8216bis section 4.4.4.9). */
export interface PartRef extends ResourceRef {
  readonly sequence: number
  /** Number within its segment, from 0; gaps are counted. */
  readonly part: number
  readonly duration: Millis
}

/** What a media playlist offers to those who are close to the live edge. */
export interface LowLatency {
  /** Reloads may wait at the origin for what is not there yet. */
  readonly canBlock: boolean
  /** EXT-X-PART-INF, or null where there are no parts. */
  readonly partTarget: Millis | null
  /** Ascending; gaps are left out. */
  readonly parts: readonly PartRef[]
  /** Segment and part that come next, gaps counted; the part is 0 where a segment has just ended. */
  readonly next: { readonly sequence: number; readonly part: number }
}

const MIN_PART_TARGET_MS = 100
const MAX_PART_TARGET_MS = 60_000

type Range = { readonly length: number; readonly offset: number } | undefined

/** Part numbers from here on have no room on the wire (docs/protocol.md, "Identity"). */
const MAX_PARTS = 0xffff

/**
 * Reads the low-latency tags; hls-parser wants more of them to be there than live playlists have.
 *
 * @param text with variables replaced
 * @param first number of the first segment
 * @param resourceOf null where a URI or a range cannot be used
 */
export function lowLatencyOf(
  text: string,
  first: number,
  resourceOf: (uri: string, range: Range) => ResourceRef | null,
): LowLatency {
  const parts: PartRef[] = []
  let canBlock = false
  let partTarget: Millis | null = null
  let sequence = first
  let part = 0
  /** Where the part before ended, for ranges without an offset. */
  let last: { readonly uri: string; readonly end: number } | null = null
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '') continue
    if (!line.startsWith('#')) {
      sequence++
      part = 0
      continue
    }
    const [, tag = '', list = ''] = /^#(EXT-X-(?:PART|PART-INF|SERVER-CONTROL)):(.*)$/.exec(line) ?? []
    if (tag === '') continue
    const attributes = attributesOf(list)
    if (tag === 'EXT-X-SERVER-CONTROL') canBlock = attributes.get('CAN-BLOCK-RELOAD') === 'YES'
    if (tag === 'EXT-X-PART-INF') partTarget = partTargetOf(attributes.get('PART-TARGET'))
    if (tag !== 'EXT-X-PART') continue
    const uri = attributes.get('URI') ?? ''
    const range = rangeOf(attributes.get('BYTERANGE'), last !== null && last.uri === uri ? last.end : 0)
    last = range === undefined ? null : { uri, end: range.offset + range.length }
    const resource = attributes.get('GAP') === 'YES' || uri === '' ? null : resourceOf(uri, range)
    const duration = durationOf(attributes.get('DURATION')) ?? partTarget
    if (resource !== null && duration !== null && part < MAX_PARTS) {
      parts.push({ ...resource, sequence, part, duration })
    }
    part++
  }
  return { canBlock, partTarget, parts: partTarget === null ? [] : parts, next: { sequence, part } }
}

/** Attributes of a list (RFC 8216 section 4.2), quotes taken off. */
function attributesOf(list: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const [, name = '', value = ''] of list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g)) {
    attributes.set(name, value.replace(/^"|"$/g, ''))
  }
  return attributes
}

/** Parts may set the pace of reloads: none is taken to be shorter than a tenth of a second. */
function partTargetOf(seconds: string | undefined): Millis | null {
  const target = durationOf(seconds)
  return target === null ? null : millis(Math.min(Math.max(target, MIN_PART_TARGET_MS), MAX_PART_TARGET_MS))
}

function durationOf(seconds: string | undefined): Millis | null {
  const value = Number(seconds)
  return value > 0 && Number.isFinite(value) ? millis(value * 1000) : null
}

function rangeOf(text: string | undefined, follows: number): Range {
  const [, length = '', offset] = /^(\d+)(?:@(\d+))?$/.exec(text ?? '') ?? []
  return length === ''
    ? undefined
    : { length: Number(length), offset: offset === undefined ? follows : Number(offset) }
}
