import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import type { MediaPlaylist, SegmentRef } from './playlist.js'
import { WindowTracker } from './window.js'

function playlist(first: number, names: readonly string[]): MediaPlaylist {
  const segments: SegmentRef[] = names.map((name, index) => ({
    sequence: first + index,
    url: `http://origin.test/${name}`,
    range: null,
    duration: millis(2000),
    start: millis(index * 2000),
  }))
  const end = first + names.length
  return { kind: 'media', targetDuration: millis(2000), live: true, segments, initSections: [], first, end }
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
