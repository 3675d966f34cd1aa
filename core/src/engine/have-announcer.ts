import {
  encodeMessage,
  HAVE_HEADER_BYTES,
  type HaveEntry,
  haveEntryBytes,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_HAVE_ENTRIES,
  MAX_LOSSY_MESSAGE_BYTES,
  type Millis,
  type SegmentId,
} from '@shoal/protocol'
import type { EmitEffect } from './io.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'

/** Verified pieces are told together: at most this long after the first, in milliseconds. */
const HAVE_BATCH_MS = 30

/** A summary repeats everything, in case deltas were lost: this often, in milliseconds. */
const HAVE_SUMMARY_INTERVAL_MS = 10_000

/**
 * Tells peers what this one holds: deltas soon after a change, to those that lack it, and a summary
 * after Hello and now and then.
 */
export class HaveAnnouncer {
  private readonly changed = new Map<string, Segment>()
  private readonly dropped: SegmentId[] = []
  private flushAt: Millis | null = null
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
    this.changed.set(segment.key, segment)
    this.flushAt ??= (now + HAVE_BATCH_MS) as Millis
  }

  segmentDropped(segment: Segment, now: Millis): void {
    this.changed.delete(segment.key)
    this.dropped.push(segment.id)
    this.flushAt ??= (now + HAVE_BATCH_MS) as Millis
  }

  /** When the next flush is due, or null. */
  get nextAt(): Millis | null {
    return this.flushAt
  }

  /** Sends what is due. */
  pump(peers: Iterable<Peer>, now: Millis): void {
    const due = this.flushAt !== null && now >= this.flushAt
    for (const peer of peers) {
      if (peer.identity === null) continue
      if (now - peer.summaryAt >= HAVE_SUMMARY_INTERVAL_MS) this.summary(peer, now)
      else if (due) this.delta(peer)
    }
    if (!due) return
    this.changed.clear()
    this.dropped.length = 0
    this.flushAt = null
  }

  /** Everything that is held, on the control channel: it must arrive whole. */
  summary(peer: Peer, now: Millis): void {
    peer.summaryAt = now
    peer.told.clear()
    const entries: HaveEntry[] = completeRuns(this.store)
    for (const segment of this.store.values()) {
      if (isWholeAndComplete(segment)) peer.told.set(segment.key, toldOf(segment))
      else if (worthTelling(segment)) {
        entries.push(entryOf(segment))
        peer.told.set(segment.key, toldOf(segment))
      }
    }
    const batches = split(entries, MAX_CONTROL_MESSAGE_BYTES)
    // The first replaces what was said before; the rest, if any, add to it.
    for (const [index, batch] of batches.entries()) this.send(peer, 'control', index === 0, batch)
    if (batches.length === 0) this.send(peer, 'control', true, [])
  }

  private delta(peer: Peer): void {
    const entries: HaveEntry[] = []
    for (const id of this.dropped) {
      entries.push({ kind: 'dropped', track: id.track, first: id.sequence, count: 1 })
    }
    for (const segment of this.changed.values()) {
      const told = peer.told.get(segment.key)
      const state = toldOf(segment)
      // What the peer holds itself it need not hear about.
      if (told?.pieces === state.pieces && told.fetching === state.fetching) continue
      if (peer.have.hasAll(segment.id) || (told === undefined && !worthTelling(segment))) continue
      peer.told.set(segment.key, state)
      entries.push(isWholeAndComplete(segment) ? runOf(segment) : entryOf(segment))
    }
    for (const batch of split(entries, MAX_LOSSY_MESSAGE_BYTES)) this.send(peer, 'lossy', false, batch)
  }

  private send(
    peer: Peer,
    channel: 'lossy' | 'control',
    summary: boolean,
    entries: readonly HaveEntry[],
  ): void {
    const backlogMs = Math.min(0xffff, Math.round(this.backlogMs()))
    const serial = peer.haveSerial++
    const bytes = encodeMessage({
      type: 'have',
      swarmTag: this.swarmTag,
      serial,
      summary,
      backlogMs,
      entries,
    })
    if (channel === 'lossy') peer.lossyBuffered += bytes.byteLength
    this.emit({ type: 'send', link: peer.link, channel, bytes })
  }
}

function isWholeAndComplete(segment: Segment): boolean {
  return segment.complete && segment.id.part === null
}

function worthTelling(segment: Segment): boolean {
  return segment.fetching || segment.verified.size > 0
}

function toldOf(segment: Segment): { pieces: number; fetching: boolean } {
  return { pieces: segment.verified.size, fetching: segment.fetching }
}

function entryOf(segment: Segment): HaveEntry {
  return {
    kind: 'segment',
    segment: segment.id,
    fetching: segment.fetching,
    pieces: segment.verified.bits,
  }
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
