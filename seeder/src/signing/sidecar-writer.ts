import { access, rename, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import {
  encodeSidecar,
  MAX_SEGMENT_BYTES,
  pieceSizeFor,
  type SegmentManifest,
  SIDECAR_SUFFIX,
  segmentKey,
} from '@shoal/protocol'
import type { Logger } from '../log.js'
import type { Origin } from '../origin/origin.js'
import type { Resource } from '../source/resource.js'
import { hashPieces } from './pieces.js'
import type { Signer } from './signer.js'

export interface SidecarWriterParts {
  readonly origin: Origin
  readonly signer: Signer
  /** 32 bytes. */
  readonly swarmId: Uint8Array
  readonly log: Logger
}

/** Writes signed manifests beside the files of a folder, one sidecar for each file, one after the other. */
export class SidecarWriter {
  /** Segments that have been signed, and those that could not be. */
  signed = 0
  failed = 0
  private readonly parts: SidecarWriterParts
  /** Manifests by the file's URL: the byte ranges of one file share a sidecar. */
  private readonly byUrl = new Map<string, Map<string, SegmentManifest>>()
  private readonly wanted = new Set<string>()
  private last: Promise<void> = Promise.resolve()

  constructor(parts: SidecarWriterParts) {
    this.parts = parts
  }

  /** Signs what a playlist has listed. */
  add(resources: readonly Resource[]): void {
    for (const { key } of resources) this.wanted.add(key)
    const byUrl = new Map<string, Resource[]>()
    for (const resource of resources) {
      const { url } = resource.segment
      byUrl.set(url, [...(byUrl.get(url) ?? []), resource])
    }
    for (const [url, some] of byUrl) this.enqueue(() => this.signAll(url, some))
  }

  /** Forgets what has left the playlist; a file that has gone takes its sidecar along. */
  remove(resources: readonly Resource[]): void {
    for (const { key } of resources) this.wanted.delete(key)
    this.enqueue(async () => {
      for (const { segment, ids } of resources) {
        const manifests = this.byUrl.get(segment.url)
        for (const id of ids) manifests?.delete(segmentKey(id))
        if (manifests !== undefined && manifests.size > 0) continue
        this.byUrl.delete(segment.url)
        const path = fileURLToPath(segment.url)
        if (!(await exists(path))) await rm(path + SIDECAR_SUFFIX, { force: true })
      }
    })
  }

  /** Resolves when all that was asked for has been done. */
  async idle(): Promise<void> {
    await this.last
  }

  private enqueue(work: () => Promise<void>): void {
    this.last = this.last.then(work).catch((error) => {
      this.parts.log.error({ error: error instanceof Error ? error.message : String(error) }, 'cannot write')
      this.failed++
    })
  }

  private async signAll(url: string, resources: readonly Resource[]): Promise<void> {
    const manifests = this.byUrl.get(url) ?? new Map<string, SegmentManifest>()
    for (const resource of resources) {
      if (!this.wanted.has(resource.key)) continue
      for (const manifest of await this.sign(resource)) manifests.set(segmentKey(manifest.segment), manifest)
    }
    if (manifests.size === 0) return
    this.byUrl.set(url, manifests)
    const path = fileURLToPath(url) + SIDECAR_SUFFIX
    // In one step: a server may hand the file out at any moment.
    await writeFile(`${path}.new`, encodeSidecar([...manifests.values()]))
    await rename(`${path}.new`, path)
  }

  private async sign({ ids, segment }: Resource): Promise<readonly SegmentManifest[]> {
    const { origin, signer, swarmId, log } = this.parts
    try {
      const bytes = await origin.loadSegment(segment, new AbortController().signal)
      const size = bytes.byteLength
      if (size === 0 || size > MAX_SEGMENT_BYTES) throw new Error(`${segment.url} is empty or too large`)
      const pieceSize = pieceSizeFor(size)
      const hashes = await hashPieces(bytes, pieceSize)
      const content = { offset: segment.range?.start ?? 0, size, pieceSize, hashes, signature: null }
      this.signed++
      return ids.map((id) => signer.sign(swarmId, { segment: id, ...content }))
    } catch (error) {
      this.failed++
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'a segment is not signed')
      return []
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
