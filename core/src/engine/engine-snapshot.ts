import type { MatchingHints, Millis, PeerId } from '@shoal/protocol'
import type { LinkSnapshot, SwarmSnapshot } from '../runtime/swarm-api.js'
import type { Downloader } from './downloader.js'
import type { Peer } from './peer.js'
import type { SegmentStore } from './segment-store.js'
import type { Uploader } from './uploader.js'

/** The engine's part of `SwarmSnapshot`. */
export type EngineSnapshot = Omit<SwarmSnapshot, 'tracker' | 'degraded' | 'refusal'>

/** Longest upload queue that is told to the tracker, in milliseconds: a minute is as good as for ever. */
const MAX_TOLD_BACKLOG_MS = 60_000

/** Counters and state as they are now. */
export function snapshotOf(
  downloader: Downloader,
  uploader: Uploader,
  store: SegmentStore,
  peers: readonly Peer[],
  now: Millis,
): EngineSnapshot {
  const { tally, corruptPieces, wastedBytes, origin, trust, checks, checkLoads } = downloader
  const { sources, segments, peerRate } = tally
  return {
    httpBytes: sources.http,
    peerBytes: sources.peers,
    seederBytes: sources.seeders,
    uploadedBytes: uploader.uploadedBytes,
    uploads: uploader.state,
    wastedBytes,
    corruptPieces,
    integrity: trust.level,
    checks: !trust.checks ? 'off' : checkLoads.possible(now) ? 'on' : 'no-range',
    checkedBytes: checkLoads.bytes,
    checksMade: checks.made,
    checksFailed: checks.failed,
    segments: { ...segments },
    links: peers.map(linkSnapshot),
    cachedBytes: store.bytes,
    cachedSegments: store.count,
    httpRate: origin.rate.value,
    peerRate: peerRate.value,
  }
}

function linkSnapshot(peer: Peer): LinkSnapshot {
  const { identity, receivedBytes, sentBytes, roundTrip } = peer
  return {
    peerId: identity?.peerId ?? ('' as PeerId),
    role: identity?.role ?? 'viewer',
    receivedBytes,
    sentBytes,
    rtt: roundTrip.value,
  }
}

/** What an uploader tells the tracker; its uplink once it has been measured. */
export function hintsOf({ state, backlogMs, uplinkRate }: Uploader): MatchingHints {
  return {
    uploads: state === 'on',
    backlog: Math.round(Math.min(MAX_TOLD_BACKLOG_MS, backlogMs)),
    ...(uplinkRate === null ? {} : { uplink: Math.round(uplinkRate) }),
  }
}
