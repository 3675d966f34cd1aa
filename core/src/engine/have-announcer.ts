import {
  encodeMessage,
  HAVE_HEADER_BYTES,
  type HaveClaim,
  type HaveEntry,
  haveEntryBytes,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_HAVE_ENTRIES,
  MAX_LOSSY_MESSAGE_BYTES,
  type Millis,
  type SegmentId,
} from '@shoal/protocol'
import type { EmitEffect } from './io.js'
import type { Peer, Told } from './peer.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'

/** Verified pieces are told together: at most this long after the first, in milliseconds. */
const HAVE_BATCH_MS = 30

/** A summary repeats everything, in case deltas were lost: this often, in milliseconds. */
const HAVE_SUMMARY_INTERVAL_MS = 10_000

/**
 * What is being fetched is said again this often, in milliseconds, where there is no other
 * news: who is waited for and falls silent is soon known to be gone.
 */
const PROMISE_INTERVAL_MS = 400

/** An asker hears of an upload queue of this length, this often at most, in milliseconds. */
const BACKLOG_WORTH_TELLING_MS = 200
const BACKLOG_INTERVAL_MS = 200

/** Everything that is held, ready to be told to anyone. */
interface Summary {
  readonly batches: readonly (readonly HaveEntry[])[]
  readonly incomplete: readonly (readonly [string, Told])[]
}

/**
 * Tells peers what this one holds: deltas soon after a change, to those that lack it, and a summary
 * after Hello and now and then.
 */
export class HaveAnnouncer {
  private readonly changed = new Map<string, Segment>()
  private readonly dropped = new Map<string, SegmentId>()
  /** Segments that others may wait for us to have. */
  private readonly promised = new Set<Segment>()
  private promisesAt = Number.POSITIVE_INFINITY
  /** Segments that somebody was told of, and must hear of when nothing is left of them. */
  private readonly announced = new WeakSet<Segment>()
  /** Made once and told to many: a seeder has thousands of segments and hundreds of peers. */
  private whole: Summary | null = null
  private backlog: number | null = null
  private flushAt: Millis | null = null
  private now = 0
  /** No summary is due before. */
  private summariesAt = 0
  private readonly store: SegmentStore
  private readonly swarmTag: number
  private readonly backlogMs: () => number
  private readonly emit: EmitEffect

  constructor(store: SegmentStore, swarmTag: number, backlogMs: () => number, emit: EmitEffect) {
    this.store = store
    this.swarmTag = swarmTag
    this.backlogMs = backlogMs
    this.emit = emit
  }

  /** A segment's state changed: a piece was verified, or a fetch began or ended. */
  segmentChanged(segment: Segment, now: Millis): void {
    // A hash or a load may end when the segment has been dropped.
    if (this.store.get(segment.key) !== segment) return
    this.whole = null
    this.changed.set(segment.key, segment)
    this.flushAt ??= (now + HAVE_BATCH_MS) as Millis
    if (!isPromised(segment)) return
    this.promised.add(segment)
    this.promisesAt = Math.min(this.promisesAt, now + PROMISE_INTERVAL_MS)
  }

  /** The segment is no longer in the store. */
  segmentDropped(segment: Segment, now: Millis): void {
    this.whole = null
    this.changed.delete(segment.key)
    if (!this.announced.has(segment)) return
    this.dropped.set(segment.key, segment.id)
    this.flushAt ??= (now + HAVE_BATCH_MS) as Millis
  }

  /** When the next message is due, summaries left aside, or null. */
  get nextAt(): Millis | null {
    const next = Math.min(this.flushAt ?? Number.POSITIVE_INFINITY, this.promisesAt)
    return next === Number.POSITIVE_INFINITY ? null : (next as Millis)
  }

  /** Sends what is due. */
  pump(peers: Iterable<Peer>, now: Millis): void {
    this.backlog = null
    this.now = now
    if (now >= this.promisesAt) this.repeatPromises(peers, now)
    const due = this.flushAt !== null && now >= this.flushAt
    if (!due && now < this.summariesAt) return
    this.summariesAt = Number.POSITIVE_INFINITY
    for (const peer of peers) {
      if (peer.identity === null) continue
      if (now - peer.summaryAt >= HAVE_SUMMARY_INTERVAL_MS) this.summary(peer, now)
      else if (due) this.delta(peer)
      this.summariesAt = Math.min(this.summariesAt, peer.summaryAt + HAVE_SUMMARY_INTERVAL_MS)
    }
    if (!due) return
    this.changed.clear()
    this.dropped.clear()
    this.flushAt = null
  }

  /** Everything that is held, on the control channel: it must arrive whole. */
  summary(peer: Peer, now: Millis): void {
    peer.summaryAt = now
    this.now = now
    this.summariesAt = Math.min(this.summariesAt, now + HAVE_SUMMARY_INTERVAL_MS)
    peer.told.clear()
    this.whole ??= this.summarize()
    for (const [key, told] of this.whole.incomplete) peer.told.set(key, { ...told })
    // The first replaces what was said before; the rest, if any, add to it.
    for (const [index, batch] of this.whole.batches.entries()) this.send(peer, 'control', index === 0, batch)
  }

  private summarize(): Summary {
    const entries = completeRuns(this.store)
    const incomplete: [string, Told][] = []
    for (const segment of this.store.values()) {
      if (!worthTelling(segment)) continue
      this.announced.add(segment)
      if (isWholeAndComplete(segment)) continue
      entries.push(entryOf(segment))
      incomplete.push([segment.key, toldOf(segment)])
    }
    const batches = split(entries, MAX_CONTROL_MESSAGE_BYTES)
    return { batches: batches.length === 0 ? [[]] : batches, incomplete }
  }

  private delta(peer: Peer): void {
    const entries: HaveEntry[] = []
    for (const [key, id] of this.dropped) {
      peer.told.delete(key)
      entries.push(goneEntry(id))
    }
    for (const segment of this.changed.values()) {
      const told = peer.told.get(segment.key)
      const pieces = segment.shared.size
      const fetching = segment.arriving
      // What the peer holds itself it need not hear about.
      if (told?.pieces === pieces && told.fetching === fetching) continue
      if (peer.have.hasAll(segment.id)) continue
      if (told === undefined && !worthTelling(segment) && !this.announced.has(segment)) continue
      this.announced.add(segment)
      if (isWholeAndComplete(segment)) {
        peer.told.delete(segment.key)
        entries.push(runOf(segment))
      } else {
        if (told === undefined) peer.told.set(segment.key, { pieces, fetching })
        else {
          told.pieces = pieces
          told.fetching = fetching
        }
        entries.push(entryOf(segment))
      }
    }
    for (const batch of split(entries, MAX_LOSSY_MESSAGE_BYTES)) this.send(peer, 'lossy', false, batch)
  }

  private repeatPromises(peers: Iterable<Peer>, now: Millis): void {
    for (const segment of this.promised) {
      const current = isPromised(segment) && this.store.get(segment.key) === segment
      if (!current) this.promised.delete(segment)
    }
    this.promisesAt = this.promised.size > 0 ? now + PROMISE_INTERVAL_MS : Number.POSITIVE_INFINITY
    for (const peer of peers) {
      if (now - peer.haveSentAt < PROMISE_INTERVAL_MS) continue
      const entries = [...this.promised].filter(({ key }) => isWaiting(peer.told.get(key))).map(entryOf)
      for (const batch of split(entries, MAX_LOSSY_MESSAGE_BYTES)) this.send(peer, 'lossy', false, batch)
    }
  }

  /** Tells an asker that it must wait, where the queue is long and that was not told just now. */
  tellBacklog(peer: Peer, now: Millis): void {
    if (now - peer.backlogTellAt < BACKLOG_INTERVAL_MS || this.backlogMs() < BACKLOG_WORTH_TELLING_MS) return
    peer.backlogTellAt = now
    this.now = now
    this.backlog = null
    this.send(peer, 'lossy', false, [])
  }

  /** Says that uploads have begun, paused or ended; reliably, since nothing else would tell for seconds. */
  tellUploads(peers: Iterable<Peer>): void {
    this.backlog = null
    for (const peer of peers) this.send(peer, 'control', false, [])
  }

  /** Says a claim to everybody but whom it came from, at once: who hears it late may claim as well. */
  claim(peers: Iterable<Peer>, claim: HaveClaim, from: Peer | null): void {
    for (const peer of peers) if (peer !== from) this.send(peer, 'lossy', false, [claim])
  }

  private send(
    peer: Peer,
    channel: 'lossy' | 'control',
    summary: boolean,
    entries: readonly HaveEntry[],
  ): void {
    this.backlog ??= Math.min(0xffff, Math.round(this.backlogMs()))
    const { swarmTag, backlog: backlogMs } = this
    const serial = peer.haveSerial++
    peer.haveSentAt = this.now
    const bytes = encodeMessage({ type: 'have', swarmTag, serial, summary, backlogMs, entries })
    if (channel === 'lossy') peer.lossyBuffered += bytes.byteLength
    this.emit({ type: 'send', link: peer.link, channel, bytes })
  }
}

function isWholeAndComplete(segment: Segment): boolean {
  return segment.complete && !segment.withheld && segment.id.part === null
}

/** Others may wait for us to have it. */
function isPromised(segment: Segment): boolean {
  return segment.arriving
}

/** The peer was told that it may wait. */
function isWaiting(told: Told | undefined): boolean {
  return told?.fetching === true
}

function worthTelling(segment: Segment): boolean {
  return isPromised(segment) || segment.shared.size > 0
}

function toldOf(segment: Segment): Told {
  return { pieces: segment.shared.size, fetching: segment.arriving }
}

function entryOf(segment: Segment): HaveEntry {
  return {
    kind: 'segment',
    segment: segment.id,
    fetching: segment.arriving,
    pieces: segment.shared.bits,
  }
}

/** A run cannot name a part: an empty map of pieces says the same. */
function goneEntry(id: SegmentId): HaveEntry {
  if (id.part === null) return { kind: 'dropped', track: id.track, first: id.sequence, count: 1 }
  return { kind: 'segment', segment: id, fetching: false, pieces: { low: 0, high: 0 } }
}

function runOf(segment: Segment): HaveEntry {
  return { kind: 'run', track: segment.id.track, first: segment.id.sequence, count: 1 }
}

/** Complete whole segments as runs of consecutive sequence numbers. */
function completeRuns(store: SegmentStore): HaveEntry[] {
  const ids: SegmentId[] = []
  for (const segment of store.values()) if (isWholeAndComplete(segment)) ids.push(segment.id)
  ids.sort((a, b) => a.track - b.track || a.sequence - b.sequence)
  const runs: { kind: 'run'; track: SegmentId['track']; first: number; count: number }[] = []
  for (const id of ids) {
    const last = runs[runs.length - 1]
    const continues = last !== undefined && last.track === id.track && last.first + last.count === id.sequence
    if (continues && last.count < 0xffff) last.count++
    else runs.push({ kind: 'run', track: id.track, first: id.sequence, count: 1 })
  }
  return runs
}

/** Entries in batches, each of which fits one message of `limit` bytes. */
function split(entries: readonly HaveEntry[], limit: number): HaveEntry[][] {
  const batches: HaveEntry[][] = []
  let batch: HaveEntry[] = []
  let size = HAVE_HEADER_BYTES
  for (const entry of entries) {
    const bytes = haveEntryBytes(entry)
    if (batch.length > 0 && (size + bytes > limit || batch.length === MAX_HAVE_ENTRIES)) {
      batches.push(batch)
      batch = []
      size = HAVE_HEADER_BYTES
    }
    batch.push(entry)
    size += bytes
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}
