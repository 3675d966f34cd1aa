import { MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import {
  emptySegment,
  peerSays,
  readyPeer,
  situationOf,
  testBytes,
  wantOf,
} from '../testing/engine-fixtures.js'
import { httpDueAt } from './http-rules.js'
import { noteOrphans } from './orphans.js'
import type { Peer } from './peer.js'
import { PieceSet } from './piece-set.js'
import type { Want } from './want.js'

const BYTES = testBytes(8 * MIN_PIECE_BYTES)

function setOf(pieces: readonly number[]): PieceSet {
  const set = new PieceSet()
  for (const piece of pieces) set.add(piece)
  return set
}

function live(changes = {}): Want {
  return wantOf(emptySegment(BYTES), { live: true, deadline: millis(10_000), ...changes })
}

function holder(link: number, want: Want, pieces: readonly number[], fetching = false): Peer {
  const peer = readyPeer(link)
  peerSays(peer, [{ kind: 'segment', segment: want.segment.id, fetching, pieces: setOf(pieces).bits }])
  return peer
}

function orphans(want: Want, peers: readonly Peer[], now = 1_000): number[] | null {
  noteOrphans(want, peers, millis(now))
  return want.orphans?.pieces.toArray() ?? null
}

describe('orphans', () => {
  it('are what no neighbour has and none is about to get', () => {
    const want = live()
    want.segment.verified.add(7)
    const peers = [holder(1, want, [0, 1, 2]), holder(2, want, [2, 3])]
    expect(orphans(want, peers)).toEqual([4, 5, 6])
    expect(orphans(want, [...peers, holder(3, want, [], true)])).toBeNull()
    expect(orphans(want, [...peers, holder(4, want, [4, 5, 6])])).toBeNull()
  })

  it('are none while something is on its way, of a file on demand, or with nobody to share them with', () => {
    const want = live()
    const peers = [holder(1, want, [0])]
    want.segment.asked.add(0)
    expect(orphans(want, peers)).toBeNull()
    want.segment.asked.delete(0)
    want.segment.loading = { start: 0, end: MIN_PIECE_BYTES }
    expect(orphans(want, peers)).toBeNull()
    want.segment.loading = null
    expect(orphans(want, [])).toBeNull()
    expect(orphans(want, peers)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(orphans(live({ live: false }), peers)).toBeNull()
  })

  it('are fetched by one after the other, long before the deadline, unless somebody was faster', () => {
    const want = live()
    const peers = [holder(1, want, [0])]
    const due = (now: number): number => {
      noteOrphans(want, peers, millis(now))
      return httpDueAt(want, situationOf({ now: millis(now), peers }))
    }
    const at = due(1_000)
    expect(at).toBeGreaterThanOrEqual(1_400)
    expect(at).toBeLessThan(4_000)
    expect(due(1_300)).toBe(at)
    peers.push(holder(2, want, [], true))
    expect(due(1_350)).toBeGreaterThan(6_000)
    peers.pop()
    expect(due(2_000)).toBe(at + 1_000)
  })
})
