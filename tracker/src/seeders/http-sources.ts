import type { InfoHash, Millis, PeerId } from '@shoal/protocol'
import { MAX_SEEDER_URL_CHARS, MAX_SEEDER_URLS } from '@shoal/protocol'
import type { WireText } from '../wire/wire-text.js'
import { wireText } from '../wire/wire-text.js'

/**
 * Addresses of one swarm, and of all, that are remembered. More seeders are not asked, unless one of the
 * swarm, or of the oldest swarms, does not answer: that one makes room, so that nobody can take all places
 * with addresses that lead nowhere.
 */
const MAX_PER_SWARM = 16
const MAX_TOTAL = 10_000

/** Swarms that are looked through for an address that makes room. */
const MAX_SEARCHED = 64

/** Time between two probes of an address, in ms. */
const PROBE_INTERVAL_MS = 30_000

/** Longest time between two probes of an address that does not answer, in ms. */
const MAX_BACKOFF_MS = 600_000

/** One seeder's HTTP address. */
export interface HttpSource {
  readonly infoHash: InfoHash
  readonly url: string
  /** The last probe found a playlist there. */
  healthy: boolean
  failures: number
  probeAt: number
  probing: boolean
}

/**
 * Where seeders serve a title by HTTP, for viewers whose origin fails. An address is handed out while
 * probes find a playlist there, and forgotten when its seeder leaves.
 */
export class HttpSources {
  private readonly bySwarm = new Map<InfoHash, Map<PeerId, HttpSource>>()
  private readonly texts = new Map<InfoHash, WireText>()
  private total = 0

  get size(): number {
    return this.total
  }

  /** Addresses that are handed out, or would be. */
  get healthy(): number {
    let count = 0
    for (const { healthy } of this.all()) if (healthy) count++
    return count
  }

  /** A seeder says where it serves its title. */
  announced(infoHash: InfoHash, peerId: PeerId, text: string, now: Millis): void {
    const url = readSeederUrl(text)
    const known = this.bySwarm.get(infoHash)?.get(peerId)
    if (known !== undefined && known.url === url) return
    this.left(infoHash, peerId)
    if (url === null || !this.makeRoom(infoHash)) return
    const sources = this.bySwarm.get(infoHash) ?? new Map<PeerId, HttpSource>()
    sources.set(peerId, { infoHash, url, healthy: false, failures: 0, probeAt: now, probing: false })
    this.bySwarm.set(infoHash, sources)
    this.total++
  }

  left(infoHash: InfoHash, peerId: PeerId): void {
    const sources = this.bySwarm.get(infoHash)
    if (sources?.delete(peerId) !== true) return
    this.total--
    if (sources.size === 0) this.bySwarm.delete(infoHash)
    this.write(infoHash)
  }

  /** JSON list of what viewers of this swarm are told; null for nothing. */
  listJson(infoHash: InfoHash): WireText | null {
    return this.texts.get(infoHash) ?? null
  }

  /**
   * Up to `max` addresses whose time to be probed has come, each to be given back with `probed`: first those
   * that answered last time or were never asked, so that the others cannot keep them waiting.
   */
  due(max: number, now: Millis): HttpSource[] {
    const due: HttpSource[] = []
    const failed: HttpSource[] = []
    for (const source of this.all()) {
      if (due.length >= max) break
      if (source.probing || source.probeAt > now) continue
      if (source.failures === 0) due.push(source)
      else if (failed.length < max) failed.push(source)
    }
    due.push(...failed.slice(0, max - due.length))
    for (const source of due) source.probing = true
    return due
  }

  probed(source: HttpSource, healthy: boolean, now: Millis): void {
    source.probing = false
    source.healthy = healthy
    source.failures = healthy ? 0 : source.failures + 1
    source.probeAt = now + Math.min(PROBE_INTERVAL_MS * 2 ** source.failures, MAX_BACKOFF_MS)
    this.write(source.infoHash)
  }

  /** True when there is room for one more address of this swarm, if need be at the cost of one that fails. */
  private makeRoom(infoHash: InfoHash): boolean {
    if ((this.bySwarm.get(infoHash)?.size ?? 0) >= MAX_PER_SWARM) return this.dropFailing(infoHash)
    if (this.total < MAX_TOTAL) return true
    let looks = 0
    for (const hash of this.bySwarm.keys()) {
      if (this.dropFailing(hash)) return true
      if (++looks >= MAX_SEARCHED) return false
    }
    return false
  }

  private dropFailing(infoHash: InfoHash): boolean {
    for (const [peerId, { failures, probing }] of this.bySwarm.get(infoHash) ?? []) {
      if (failures === 0 || probing) continue
      this.left(infoHash, peerId)
      return true
    }
    return false
  }

  private *all(): Iterable<HttpSource> {
    for (const sources of this.bySwarm.values()) yield* sources.values()
  }

  private write(infoHash: InfoHash): void {
    const urls = new Set<string>()
    for (const { url, healthy } of this.bySwarm.get(infoHash)?.values() ?? []) {
      if (healthy && urls.size < MAX_SEEDER_URLS) urls.add(url)
    }
    if (urls.size === 0) this.texts.delete(infoHash)
    else this.texts.set(infoHash, wireText(JSON.stringify([...urls])))
  }
}

/**
 * A URL that viewers may be sent to, in its normal form; null for any other. No user and password:
 * browsers refuse them. Ports are the web's own or a program's.
 */
function readSeederUrl(text: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  url.hash = ''
  const web = url.protocol === 'http:' || url.protocol === 'https:'
  const port = url.port === '' ? 443 : Number(url.port)
  if (!web || url.username !== '' || url.password !== '' || url.hostname === '') return null
  if (port !== 80 && port !== 443 && port < 1024) return null
  return url.href.length <= MAX_SEEDER_URL_CHARS ? url.href : null
}
