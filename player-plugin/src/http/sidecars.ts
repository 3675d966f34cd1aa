import {
  DecodeError,
  decodeSidecar,
  type SegmentId,
  type SegmentManifest,
  segmentKey,
  sidecarUrl,
} from '@shoal/protocol'

/** Largest sidecar that a player loads, in bytes: 2,000 segments of one resource, with eight pieces each. */
const MAX_BYTES = 1024 * 1024

/** A sidecar that is not here by then is done without, in milliseconds. */
const TIMEOUT_MS = 5_000

/** Loads at once; whoever comes then goes without. */
const MAX_PARALLEL = 2

/** A live packager's signer is a moment behind its segments, in milliseconds: so long after a miss it is asked once more. */
const SECOND_TRY_MS = 1_500

/** Resources in a row without one, after which none is looked for any more. */
const MAX_MISSES = 4

/** Of resources with many segments: those that were loaded last are kept, for this many milliseconds. */
const KEPT = 4
const KEEP_MS = 10_000

type Manifests = readonly SegmentManifest[]

interface Entry {
  readonly loadedAt: number
  readonly manifests: Promise<Manifests>
}

/** Looks for the signed manifests that lie beside segments (docs/protocol.md, "Sidecar"). Nothing waits for it. */
export class Sidecars {
  /** By URL of the resource, oldest first. */
  readonly #known = new Map<string, Entry>()
  readonly #onBytes: (bytes: number) => void
  #loading = 0
  #misses = 0

  /** @param onBytes hears of each body, or part of one, that was loaded */
  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes
  }

  /**
   * @param url of the segment's resource
   * @returns its manifest, whoever signed it; null where there is none, or it is not worth looking. Never rejects
   */
  async find(url: string, segment: SegmentId): Promise<SegmentManifest | null> {
    const key = segmentKey(segment)
    const known = this.#known.get(url)
    const fresh = known !== undefined && performance.now() - known.loadedAt < KEEP_MS
    const manifests = await (fresh ? known.manifests : this.#look(url))
    return manifests.find((manifest) => segmentKey(manifest.segment) === key) ?? null
  }

  #look(url: string): Promise<Manifests> {
    if (this.#misses >= MAX_MISSES || this.#loading >= MAX_PARALLEL) return Promise.resolve([])
    const manifests = this.#loadTwice(url)
    this.#known.delete(url)
    this.#known.set(url, { loadedAt: performance.now(), manifests })
    const oldest = this.#known.keys().next().value
    if (this.#known.size > KEPT && oldest !== undefined) this.#known.delete(oldest)
    return manifests
  }

  async #loadTwice(url: string): Promise<Manifests> {
    this.#loading++
    let found = await this.#load(url)
    if (found === null) {
      await new Promise((resolve) => setTimeout(resolve, SECOND_TRY_MS))
      found = await this.#load(url)
    }
    this.#loading--
    this.#misses = found === null ? this.#misses + 1 : 0
    return found ?? []
  }

  /** Null where there is none; nothing is said of one that is out of reach. */
  async #load(url: string): Promise<Manifests | null> {
    try {
      const response = await fetch(sidecarUrl(url), {
        credentials: 'same-origin',
        priority: 'low',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      if (response.ok) return decodeSidecar(await this.#read(response))
      await response.body?.cancel()
    } catch (error) {
      // A page with status 200, or too large; else the network, which says nothing of what is there.
      return error instanceof DecodeError ? null : []
    }
    return null
  }

  async #read(response: Response): Promise<Uint8Array> {
    const reader = response.body?.getReader()
    const chunks: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { done = true, value } = (await reader?.read()) ?? {}
      if (done) break
      if (value === undefined) continue
      this.#onBytes(value.byteLength)
      size += value.byteLength
      if (size > MAX_BYTES) {
        await reader?.cancel()
        throw new DecodeError('too-large', 'sidecar')
      }
      chunks.push(value)
    }
    return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
  }
}
