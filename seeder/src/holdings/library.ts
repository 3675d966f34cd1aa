import type { PieceReader } from '@shoal/core'
import { type SegmentId, type SegmentManifest, segmentKey } from '@shoal/protocol'
import type { ResourceRef } from '../source/playlist.js'
import type { Resource } from '../source/resource.js'
import type { StoredBytes } from '../store/segment-store.js'

/** Initialisation sections kept at most; each is about a kilobyte, and they rarely change. */
const MAX_INIT_SECTIONS = 64

/** Held bytes of one URL: all of it, or one range of it. */
export interface HeldSpan {
  readonly start: number
  readonly end: number
  /** True where it is the whole resource, whose size is then `end`. */
  readonly whole: boolean
  /** Changes when the bytes do. */
  readonly tag: string
  readonly stored: StoredBytes
  /** Signed, one for each track that lists it; none of an initialisation section. */
  readonly manifests: readonly SegmentManifest[]
}

interface HeldSegment {
  readonly resource: Resource
  readonly span: HeldSpan
}

/** What the seeder holds: by segment for the swarm, by URL for HTTP. */
export class Library implements PieceReader {
  /** The title is live, or was: names of its segments may come again. */
  live = false
  private readonly byKey = new Map<string, HeldSegment>()
  private readonly bySegment = new Map<string, HeldSegment>()
  private readonly spans = new Map<string, HeldSpan[]>()
  private readonly initSections = new Map<string, { readonly url: string; readonly span: HeldSpan }>()

  get segments(): number {
    return this.byKey.size
  }

  has(key: string): boolean {
    return this.byKey.has(key)
  }

  add(resource: Resource, stored: StoredBytes, tag: string, manifests: readonly SegmentManifest[]): void {
    const span = spanOf(resource.segment, stored, tag, manifests)
    const held = { resource, span }
    this.byKey.set(resource.key, held)
    for (const id of resource.ids) this.bySegment.set(segmentKey(id), held)
    this.addSpan(resource.segment.url, span)
  }

  /** Forgets a segment; the ids under which it was held, or none where it was not. */
  remove(key: string): readonly SegmentId[] {
    const held = this.byKey.get(key)
    if (held === undefined) return []
    this.byKey.delete(key)
    // Another resource may have taken over an id: after a reset, numbers come again.
    const ids = held.resource.ids.filter((id) => this.bySegment.get(segmentKey(id)) === held)
    for (const id of ids) this.bySegment.delete(segmentKey(id))
    this.removeSpan(held.resource.segment.url, held.span)
    return ids
  }

  addInitSection(ref: ResourceRef, bytes: Uint8Array, tag: string): void {
    const stored = {
      size: bytes.byteLength,
      read: async (start: number, end: number) => bytes.subarray(start, end),
    }
    const span = spanOf(ref, stored, tag, [])
    this.initSections.set(initKey(ref), { url: ref.url, span })
    this.addSpan(ref.url, span)
    const [oldest] = this.initSections
    if (oldest === undefined || this.initSections.size <= MAX_INIT_SECTIONS) return
    this.initSections.delete(oldest[0])
    this.removeSpan(oldest[1].url, oldest[1].span)
  }

  hasInitSection(ref: ResourceRef): boolean {
    return this.initSections.has(initKey(ref))
  }

  /** Held spans of a URL, by where they begin. */
  spansOf(url: string): readonly HeldSpan[] {
    return this.spans.get(url) ?? []
  }

  async read(segment: SegmentId, start: number, end: number): Promise<Uint8Array | null> {
    const held = this.bySegment.get(segmentKey(segment))
    return held === undefined ? null : await held.span.stored.read(start, end)
  }

  private addSpan(url: string, span: HeldSpan): void {
    const others = this.spansOf(url).filter(({ start, end }) => start !== span.start || end !== span.end)
    this.spans.set(
      url,
      [...others, span].sort((a, b) => a.start - b.start),
    )
  }

  private removeSpan(url: string, span: HeldSpan): void {
    const left = this.spansOf(url).filter((other) => other !== span)
    if (left.length === 0) this.spans.delete(url)
    else this.spans.set(url, left)
  }
}

function initKey({ url, range }: ResourceRef): string {
  return `${url} ${range?.start ?? ''}`
}

function spanOf(
  { range }: ResourceRef,
  stored: StoredBytes,
  tag: string,
  manifests: readonly SegmentManifest[],
): HeldSpan {
  const start = range?.start ?? 0
  return { start, end: start + stored.size, whole: range === null, tag, stored, manifests }
}
