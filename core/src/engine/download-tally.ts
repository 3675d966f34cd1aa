import type { Millis } from '@shoal/protocol'
import type { SegmentResult, WantedSegment } from '../runtime/swarm-api.js'
import { DeficitController } from './deficit.js'
import { MediaRates } from './media-rates.js'
import { TransferRate } from './rates.js'
import type { PieceSource, Segment } from './segment.js'
import type { Want } from './want.js'

/** What downloads have brought, and what that tells for the next ones. */
export class DownloadTally {
  /** Bytes by where they came from. */
  readonly sources = { http: 0, peers: 0, seeders: 0 }
  /** Segments by where their bytes came from. */
  readonly segments = { http: 0, peers: 0, mixed: 0 }
  /** Rate of segments that came from peers, over the whole transfer. */
  readonly peerRate = new TransferRate()
  private readonly deficit = new DeficitController()
  private readonly mediaRates = new MediaRates()

  count(segment: Segment, source: PieceSource, bytes: number): void {
    segment.sources[source] += bytes
    this.sources[source] += bytes
  }

  /** The size of a segment was wrong: its bytes are counted again once the whole is here. */
  uncount(segment: Segment): void {
    for (const piece of segment.fromHttp.toArray()) {
      const { start, end } = segment.pieceSpan(piece)
      this.count(segment, 'http', start - end)
    }
  }

  /** Bytes that a segment of this duration is likely to have, or null before the first of its track. */
  expectedBytes({ segment, duration }: WantedSegment): number | null {
    return this.mediaRates.expect(segment.track, duration)
  }

  /** Share of each live segment that the swarm has no uplink for; see `DeficitController`. */
  get deficitShare(): number {
    return this.deficit.share
  }

  /** The want is complete: counts it and says what the host hears of it. */
  settle(want: Want, bytes: Uint8Array, now: Millis): SegmentResult {
    const { segment, wanted, sourcesBefore, startedAt, peersSince, claimedAt, advanced } = want
    this.mediaRates.sample(segment.id.track, bytes.byteLength, wanted.duration)
    const sources = {
      http: segment.sources.http - sourcesBefore.http,
      peers: segment.sources.peers - sourcesBefore.peers,
      seeders: segment.sources.seeders - sourcesBefore.seeders,
    }
    const fromPeers = sources.peers + sources.seeders
    // Of what we led or found nobody for, uplink tells nothing.
    if (wanted.live && peersSince !== null && claimedAt === null) {
      this.deficit.segmentDone(Math.max(0, sources.http - advanced) / bytes.byteLength)
    }
    if (peersSince !== null && fromPeers > 0) this.peerRate.sample(fromPeers, (now - peersSince) as Millis)
    if (fromPeers > 0 && sources.http > 0) this.segments.mixed++
    else if (fromPeers > 0) this.segments.peers++
    else if (sources.http > 0) this.segments.http++
    return { bytes, sources, startedAt, firstByteAt: want.firstByteAt ?? startedAt, finishedAt: now }
  }
}
