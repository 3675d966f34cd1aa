import { millis, type TrackId } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { peerSays, readyPeer, runEntry, testSegmentId, wantedOf } from '../testing/engine-fixtures.js'
import type { Peer } from './peer.js'
import { Prefetch } from './prefetch.js'

let prefetch: Prefetch

beforeEach(() => {
  prefetch = new Prefetch()
})

function holder(link: number, first: number, count: number, track?: TrackId): Peer {
  const peer = readyPeer(link)
  peerSays(peer, [runEntry(first, count, track)])
  return peer
}

/** What the host wanted: 4 s long, due at 10 s. */
function wanted(sequence: number, changes = {}): void {
  prefetch.wanted(wantedOf(testSegmentId(sequence), { deadline: millis(10_000), ...changes }), millis(0))
}

function next(peers: readonly Peer[], now = 0): number[] {
  return prefetch.next(peers, millis(now)).map(({ segment }) => segment.sequence)
}

describe('Prefetch', () => {
  it('looks further ahead on demand than at a live edge, and no further than six segments', () => {
    const peers = [holder(1, 1, 100)]
    wanted(10, { live: true })
    expect(next(peers)).toEqual([11, 12])
    wanted(20, { duration: millis(10_000) })
    expect(next(peers)).toEqual([21, 22, 23])
    wanted(30, { duration: millis(1) })
    expect(next(peers)).toEqual([31, 32, 33, 34, 35, 36])
  })

  it('names only what a peer holds that may be asked', () => {
    wanted(10)
    const suspect = holder(1, 11, 1)
    suspect.suspectUntil = 500
    expect(next([suspect, holder(2, 13, 1), holder(3, 1, 10), holder(4, 40, 9)])).toEqual([13])
    expect(next([suspect], 500)).toEqual([11])
  })

  it('gives each the deadline that follows from the segment before it', () => {
    wanted(10, { live: true })
    const [first, second] = prefetch.next([holder(1, 1, 100)], millis(0))
    expect([first?.deadline, second?.deadline]).toEqual([14_000, 18_000])
    // The host is late: what follows is not due before it.
    const [late] = prefetch.next([holder(1, 1, 100)], millis(12_000))
    expect(late).toMatchObject({ deadline: 16_000, live: true, range: null })
  })

  it('follows the newest want of a track, and ends where the host turns away', () => {
    const peers = [holder(1, 1, 100)]
    wanted(10, { live: true })
    wanted(50, { live: true })
    expect(next(peers)).toEqual([51, 52])
    expect(next(peers, 18_000)).toEqual([51, 52])
    expect(next(peers, 18_001)).toEqual([])
  })

  it('does not guess where a range or a part follows', () => {
    const peers = [holder(1, 1, 100)]
    wanted(10)
    prefetch.wanted(wantedOf(testSegmentId(20, 3), { deadline: millis(10_000) }), millis(0))
    expect(next(peers)[0]).toBe(11)
    wanted(11, { range: { start: 0, end: 100 } })
    expect(next(peers)).toEqual([])
  })

  it('looks ahead on eight tracks at most, the last ones', () => {
    const tracks = Array.from({ length: 10 }, (_, track) => track as TrackId)
    const peers = tracks.map((track) => holder(track, 1, 100, track))
    for (const track of tracks) {
      const segment = { track, sequence: 5, part: null }
      prefetch.wanted(wantedOf(segment, { deadline: millis(10_000), live: true }), millis(0))
    }
    const seen = prefetch.next(peers, millis(0)).map(({ segment }) => segment.track)
    expect([...new Set(seen)]).toEqual(tracks.slice(2))
  })

  it('on demand fetches one in five from where fewest hold it, within five minutes', () => {
    const peers = [holder(1, 1, 200), holder(2, 1, 60), holder(3, 62, 100)]
    for (let sequence = 10; sequence < 14; sequence++) {
      wanted(sequence)
      expect(next(peers).at(-1)).toBe(sequence + 6)
    }
    wanted(14)
    expect(next(peers)).toEqual([15, 16, 17, 18, 19, 20, 61])
    wanted(15)
    expect(next(peers)).toEqual([16, 17, 18, 19, 20, 21, 61])
    for (let sequence = 16; sequence < 20; sequence++) wanted(sequence)
    expect(next([holder(1, 1, 25)])).toEqual([20, 21, 22, 23, 24, 25])
  })

  it('fetches nothing rare at a live edge', () => {
    for (let sequence = 10; sequence < 30; sequence++) {
      wanted(sequence, { live: true })
      expect(next([holder(1, 1, 100)])).toHaveLength(2)
    }
  })
})
