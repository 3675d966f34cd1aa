import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Content } from './content.js'
import type { LoopSource } from './live.js'
import { partOffsets } from './ts-parts.js'

const PART_SECONDS = 0.5
/** Six parts: the distance to the live edge that players are asked to keep. */
const PART_HOLD_BACK_SECONDS = 3

/** Complete segments in a playlist, and those of them whose parts are listed (RFC 8216bis, 6.2.2). */
const WINDOW_SEGMENTS = 6
const SEGMENTS_WITH_PARTS = 3

/** A playlist that is this much further in the future is not waited for, in segments. */
const MAX_AHEAD_SEGMENTS = 2

const PATH = /^\/low-latency\/(?:([^/]+)\/)?([^/]+)$/
const FILE = /^seg-(0|[1-9]\d*)(?:\.(\d+))?\.ts$/

/** Where a stream is: so many segments are complete, and so many parts of the one after them are there. */
interface Edge {
  readonly segment: number
  readonly parts: number
}

/**
 * Low-latency HLS at `/low-latency/`: the same loop as the live stream, in parts of half a second, with
 * blocking playlist reload and preload hints. Segment 0 begins a full window before the stream does.
 */
export class LowLatencyStream {
  private readonly source: LoopSource
  private readonly folder: string
  private readonly now: () => number
  private readonly epoch: number
  /** Byte offsets of parts, by file. */
  private readonly cuts = new Map<string, readonly number[]>()

  /**
   * @param folder of the source
   * @param now Unix time in ms
   */
  constructor(source: LoopSource, folder: string, now: () => number) {
    this.source = source
    this.folder = folder
    this.now = now
    this.epoch = now() - WINDOW_SEGMENTS * source.segmentSeconds * 1000
  }

  /** What a path names, once it is published where the query asks for a playlist ahead; else null. */
  async find(path: string, query: string): Promise<Content | null> {
    const [, track, name = ''] = PATH.exec(path) ?? []
    const files = track === undefined ? undefined : this.source.tracks.get(track)
    if (track === undefined || files === undefined) return null
    if (name === 'index.m3u8') {
      if (!(await this.awaitEdge(new URLSearchParams(query)))) return null
      return { type: 'made', bytes: Buffer.from(this.playlist(this.edge())) }
    }
    const [, segment, part] = FILE.exec(name) ?? []
    if (segment === undefined || !this.isPublished(Number(segment), part)) return null
    const file = join(this.folder, track, files[Number(segment) % files.length] ?? '')
    const bytes = await readFile(file)
    if (part === undefined) return { type: 'made', bytes }
    const offsets = this.offsets(file, bytes)
    const [start, end] = offsets.slice(Number(part), Number(part) + 2)
    return end === undefined ? null : { type: 'made', bytes: bytes.subarray(start, end) }
  }

  private get partsPerSegment(): number {
    return Math.round(this.source.segmentSeconds / PART_SECONDS)
  }

  private edge(): Edge {
    const parts = Math.floor((this.now() - this.epoch) / (PART_SECONDS * 1000))
    return { segment: Math.floor(parts / this.partsPerSegment), parts: parts % this.partsPerSegment }
  }

  private isPublished(segment: number, part: string | undefined): boolean {
    const edge = this.edge()
    if (segment < edge.segment - 2 * WINDOW_SEGMENTS) return false
    return segment < edge.segment || (segment === edge.segment && Number(part ?? Infinity) < edge.parts)
  }

  /** Blocking reload: false where what is asked for is too far ahead. */
  private async awaitEdge(query: URLSearchParams): Promise<boolean> {
    const segment = Number(query.get('_HLS_msn') ?? Number.NaN)
    if (!Number.isInteger(segment)) return true
    if (segment > this.edge().segment + MAX_AHEAD_SEGMENTS) return false
    const part = Math.trunc(Number(query.get('_HLS_part') ?? Infinity)) || 0
    const parts = segment * this.partsPerSegment + Math.min(Math.max(0, part) + 1, this.partsPerSegment)
    await sleep(Math.max(0, this.epoch + parts * PART_SECONDS * 1000 - this.now()))
    return true
  }

  private playlist(edge: Edge): string {
    const { segmentSeconds, segmentCount } = this.source
    const first = Math.max(0, edge.segment - WINDOW_SEGMENTS)
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      `#EXT-X-TARGETDURATION:${Math.round(segmentSeconds)}`,
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${PART_HOLD_BACK_SECONDS.toFixed(1)}`,
      `#EXT-X-PART-INF:PART-TARGET=${PART_SECONDS}`,
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${first === 0 ? 0 : Math.floor((first - 1) / segmentCount)}`,
      '#EXT-X-INDEPENDENT-SEGMENTS',
    ]
    for (let sequence = first; sequence <= edge.segment; sequence++) {
      const complete = sequence < edge.segment
      if (sequence > 0 && sequence % segmentCount === 0) lines.push('#EXT-X-DISCONTINUITY')
      const date = new Date(this.epoch + sequence * segmentSeconds * 1000).toISOString()
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${date}`)
      const parts = complete ? this.partsPerSegment : edge.parts
      const listed = sequence >= edge.segment - SEGMENTS_WITH_PARTS
      for (let part = 0; listed && part < parts; part++) lines.push(partLine(sequence, part))
      if (complete) lines.push(`#EXTINF:${segmentSeconds.toFixed(6)},`, `seg-${sequence}.ts`)
    }
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="seg-${edge.segment}.${edge.parts}.ts"`)
    return `${lines.join('\n')}\n`
  }

  private offsets(file: string, bytes: Buffer): readonly number[] {
    let offsets = this.cuts.get(file)
    if (offsets === undefined) {
      offsets = partOffsets(bytes, PART_SECONDS)
      this.cuts.set(file, offsets)
    }
    return offsets
  }
}

function partLine(sequence: number, part: number): string {
  const independent = part === 0 ? ',INDEPENDENT=YES' : ''
  return `#EXT-X-PART:DURATION=${PART_SECONDS.toFixed(5)},URI="seg-${sequence}.${part}.ts"${independent}`
}
