import type { InfoHash } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { HASH, id } from '../testing/messages.js'
import type { NodeId } from './bus.js'
import type { NodeCounts } from './counts.js'
import { NO_PEERS, wantedBy } from './counts.js'
import { Directory } from './directory.js'
import { Published } from './published.js'
import { SerialGuard } from './serial-guard.js'

const A = 'a'.repeat(16) as NodeId
const B = 'b'.repeat(16) as NodeId
const hash = HASH as InfoHash
const other = id('other') as InfoHash
const viewers = (count: number): NodeCounts => ({ ...NO_PEERS, viewers: count })

/** Has heard of A, and read what it keeps. */
function acquainted(): Directory {
  const directory = new Directory(1000)
  expect(directory.beat(A, 3, 0)).toBe(true)
  directory.read(A, 3, new Map([[hash, viewers(2)]]))
  return directory
}

describe('the directory', () => {
  it('reads what a new node keeps, once, then follows its changes', () => {
    const directory = new Directory(1000)
    expect(directory.beat(A, 3, 0)).toBe(true)
    expect(directory.beat(A, 3, 1)).toBe(false)
    directory.read(A, 3, new Map([[hash, viewers(2)]]))
    expect(directory.change(A, 4, [[other, viewers(1)]], 2)).toBe(false)
    expect(directory.total(hash)).toEqual(viewers(2))
    expect(directory.total(other)).toEqual(viewers(1))
    directory.change(A, 5, [[hash, NO_PEERS]], 3)
    expect(directory.nodesOf(hash)).toBeUndefined()
  })

  it('reads again where a change was lost, and when the reading failed', () => {
    const directory = acquainted()
    expect(directory.change(A, 5, [[hash, viewers(9)]], 1)).toBe(true)
    expect(directory.total(hash)).toEqual(viewers(2))
    directory.read(A, 0, null)
    expect(directory.beat(A, 5, 2)).toBe(true)
    directory.read(A, 5, new Map([[other, viewers(4)]]))
    expect([directory.total(hash), directory.total(other)]).toEqual([NO_PEERS, viewers(4)])
    expect(directory.beat(A, 5, 3)).toBe(false)
  })

  it('does not take a change twice', () => {
    const directory = acquainted()
    expect(directory.change(A, 4, [[hash, viewers(5)]], 1)).toBe(false)
    expect(directory.change(A, 4, [[hash, viewers(1)]], 2)).toBe(false)
    expect(directory.total(hash)).toEqual(viewers(5))
  })

  it('adds nodes up and forgets those that are silent or say goodbye', () => {
    const directory = acquainted()
    directory.beat(B, 0, 900)
    directory.read(B, 0, new Map([[hash, viewers(3)]]))
    expect(directory.total(hash)).toEqual(viewers(5))
    directory.expire(1500)
    expect([directory.nodeCount, directory.total(hash)]).toEqual([1, viewers(3)])
    directory.remove(B)
    expect([directory.nodeCount, directory.nodesOf(hash)]).toEqual([0, undefined])
  })

  it('counts who wants whose offers', () => {
    const counts = { viewers: 1, seeders: 2, otherLeechers: 4, otherSeeders: 8, downloaded: 0 }
    expect(wantedBy({ shoal: true, seeder: false }, counts)).toBe(3)
    expect(wantedBy({ shoal: true, seeder: true }, counts)).toBe(1)
    expect(wantedBy({ shoal: false, seeder: false }, counts)).toBe(12)
    expect(wantedBy({ shoal: false, seeder: true }, counts)).toBe(4)
  })
})

describe('what is published', () => {
  function scene() {
    const now = new Map<InfoHash, NodeCounts>()
    const published = new Published((infoHash) => now.get(infoHash) ?? NO_PEERS)
    const set = (infoHash: InfoHash, count: number) => {
      now.set(infoHash, viewers(count))
      published.touch(infoHash)
    }
    return { published, set }
  }

  it('comes at once where somebody is there now, later where only numbers change', () => {
    const { published, set } = scene()
    set(hash, 1)
    expect(published.take(1000)).toEqual([[hash, viewers(1)]])
    set(hash, 2)
    expect(published.take(1100)).toEqual([])
    expect(published.hasChanges).toBe(true)
    expect(published.take(2000)).toEqual([[hash, viewers(2)]])
    set(hash, 0)
    expect(published.take(2100)).toEqual([[hash, viewers(0)]])
    expect([published.size, published.hasChanges]).toEqual([0, false])
  })

  it('leaves out who came and went, and tells again what did not get out', () => {
    const { published, set } = scene()
    set(hash, 1)
    set(hash, 0)
    expect(published.take(0)).toEqual([])
    set(hash, 1)
    published.take(10)
    published.untold(hash)
    expect(published.take(20)).toEqual([[hash, viewers(1)]])
    published.touchAll()
    expect(published.take(30)).toEqual([[hash, viewers(1)]])
  })
})

describe('serial numbers', () => {
  it('let each frame in once', () => {
    const guard = new SerialGuard()
    expect([1, 1, 3, 2, 4].map((serial) => guard.isNew(A, serial))).toEqual([true, false, true, false, true])
    expect(guard.isNew(B, 7)).toBe(true)
    guard.sweep((node) => node === B)
    expect([guard.isNew(A, 4), guard.isNew(B, 7)]).toEqual([true, false])
  })
})
