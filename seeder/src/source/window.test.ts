import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import type { MediaPlaylist, SegmentRef } from './playlist.js'
import { WindowTracker } from './window.js'

function playlist(first: number, names: readonly string[], since: number | null = null): MediaPlaylist {
  const segments: SegmentRef[] = names.map((name, index) => ({
    sequence: first + index,
    url: `http://origin.test/${name}`,
    range: null,
    duration: millis(2000),
    start: millis(index * 2000),
    date: since === null ? null : since + (first + index) * 2000,
  }))
  const end = first + names.length
  return {
    kind: 'media',
    targetDuration: millis(2000),
    live: true,
    segments,
    initSections: [],
    first,
    end,
    discontinuities: 0,
    lowLatency: { canBlock: false, partTarget: null, parts: [], next: { sequence: end, part: 0 } },
  }
}

function updates(...playlists: MediaPlaylist[]) {
  const window = new WindowTracker()
  return playlists.map((next) => {
    const change = window.update(next)
    if (change.kind === 'stale') return 'stale'
    const numbers = (segments: readonly SegmentRef[]) => segments.map(({ sequence }) => sequence)
    return { kind: change.kind, added: numbers(change.added), left: numbers(change.left) }
  })
}

test('a sliding window adds and takes away', () => {
  expect(updates(playlist(3, ['a', 'b']), playlist(4, ['b', 'c']))).toEqual([
    { kind: 'forward', added: [3, 4], left: [] },
    { kind: 'forward', added: [5], left: [3] },
  ])
})

test('tokens in the path are no other segment', () => {
  expect(updates(playlist(3, ['t1/a', 't1/b']), playlist(4, ['t2/b', 't2/c']))[1]).toMatchObject({
    kind: 'forward',
    added: [5],
  })
})

test('an older playlist of the same run is stale', () => {
  expect(updates(playlist(3, ['a', 'b', 'c']), playlist(2, ['z', 'a', 'b']))[1]).toBe('stale')
})

test('numbers that begin anew are a reset', () => {
  const all = updates(playlist(100, ['a', 'b']), playlist(0, ['c']))
  expect(all[1]).toEqual({ kind: 'reset', added: [0], left: [100, 101] })
})

test('other names under the same numbers are a reset', () => {
  const all = updates(playlist(0, ['r1-0', 'r1-1', 'r1-2']), playlist(0, ['r2-0', 'r2-1']))
  expect(all[1]).toEqual({ kind: 'reset', added: [0, 1], left: [0, 1, 2] })
})

test('the same names again are a reset once the new run advances', () => {
  const before = playlist(0, ['s0', 's1', 's2', 's3'])
  const all = updates(before, playlist(0, ['s0']), playlist(0, ['s0', 's1']))
  expect(all[1]).toBe('stale')
  expect(all[2]).toMatchObject({ kind: 'reset', added: [0, 1] })
})

test('the same names and dates are the same run, however far behind', () => {
  const before = playlist(0, ['s0', 's1', 's2', 's3'], 50_000)
  const all = updates(before, playlist(0, ['s0'], 50_000), playlist(0, ['s0', 's1'], 50_000))
  expect(all.slice(1)).toEqual(['stale', 'stale'])
})

test('the same names with other dates are a reset at once', () => {
  const all = updates(playlist(0, ['s0', 's1', 's2'], 50_000), playlist(0, ['s0', 's1'], 90_000))
  expect(all[1]).toMatchObject({ kind: 'reset', added: [0, 1] })
})

test('a discontinuity sequence that goes back is a reset', () => {
  const window = new WindowTracker()
  window.update({ ...playlist(5, ['a', 'b']), discontinuities: 3 })
  expect(window.update({ ...playlist(6, ['b', 'c']), discontinuities: 3 }).kind).toBe('forward')
  expect(window.update({ ...playlist(7, ['c', 'd']), discontinuities: 0 }).kind).toBe('reset')
})

test('another origin may be behind for a while, and not for ever', () => {
  const window = new WindowTracker()
  window.update(playlist(0, ['s0', 's1', 's2', 's3']), 0)
  expect(window.update(playlist(0, ['s0', 's1']), 1).kind).toBe('stale')
  expect(window.update(playlist(0, ['s0', 's1', 's2']), 1).kind).toBe('stale')
  expect(window.update(playlist(1, ['s1', 's2', 's3', 's4']), 1)).toMatchObject({ kind: 'forward' })
  const behind = Array.from({ length: 12 }, () => window.update(playlist(0, ['s0', 's1']), 0).kind)
  expect(behind.indexOf('reset')).toBeGreaterThan(3)
})

test('the date of a segment stays the one that it was first seen with', () => {
  const window = new WindowTracker()
  window.update(playlist(0, ['s0', 's1'], 50_000))
  window.update(playlist(0, ['s0', 's1', 's2'], 50_003))
  expect(window.entry(1)?.date).toBe(52_000)
  expect(window.entry(2)?.date).toBe(54_003)
})
