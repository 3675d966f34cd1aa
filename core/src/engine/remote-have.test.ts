import { type Have, type HaveEntry, MAX_HAVE_ENTRIES, type SegmentId, type TrackId } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TEST_SWARM, testSegmentId } from '../testing/engine-fixtures.js'
import { RemoteHave } from './remote-have.js'

const TRACK = testSegmentId().track

function have(serial: number, entries: readonly HaveEntry[], summary = false, backlogMs = 0): Have {
  return { type: 'have', swarmTag: TEST_SWARM.tag, serial, summary, backlogMs, entries }
}

function run(first: number, count = 1): HaveEntry {
  return { kind: 'run', track: TRACK, first, count }
}

function dropped(first: number, count = 1): HaveEntry {
  return { kind: 'dropped', track: TRACK, first, count }
}

function partial(segment: SegmentId, low: number, fetching = false): HaveEntry {
  return { kind: 'segment', segment, fetching, pieces: { low, high: 0 } }
}

/** What a RemoteHave says of segments 0 to 5 and of one part. */
function stateOf(remote: RemoteHave): string[] {
  const ids = [...Array.from({ length: 6 }, (_, sequence) => testSegmentId(sequence)), testSegmentId(2, 0)]
  return ids.map((id) => {
    const pieces = [0, 1, 2].map((piece) => (remote.hasPiece(id, piece) ? '1' : '0')).join('')
    return `${remote.hasAll(id)} ${remote.offers(id)} ${pieces}`
  })
}

const entry: fc.Arbitrary<HaveEntry> = fc.oneof(
  fc.record({ first: fc.nat(5), count: fc.integer({ min: 1, max: 3 }) }).map((r) => run(r.first, r.count)),
  fc
    .record({ first: fc.nat(5), count: fc.integer({ min: 1, max: 3 }) })
    .map((r) => dropped(r.first, r.count)),
  fc
    .record({ sequence: fc.nat(5), part: fc.constantFrom(null, 0), low: fc.nat(7), fetching: fc.boolean() })
    .map((r) => partial(testSegmentId(r.sequence, r.part), r.low, r.fetching)),
)

const messages = fc.array(fc.record({ summary: fc.boolean(), entries: fc.array(entry, { maxLength: 4 }) }), {
  maxLength: 8,
})

describe('RemoteHave', () => {
  it('knows nothing before the first Have', () => {
    const remote = new RemoteHave()
    expect(remote.heard).toBe(false)
    expect(remote.offers(testSegmentId())).toBe(false)
    remote.apply(have(0, []))
    expect(remote.heard).toBe(true)
  })

  it('takes runs, maps of pieces, and what is being fetched', () => {
    const remote = new RemoteHave()
    remote.apply(
      have(0, [run(10, 3), partial(testSegmentId(20), 0b101), partial(testSegmentId(21), 0, true)]),
    )
    expect(remote.hasAll(testSegmentId(12))).toBe(true)
    expect(remote.hasAll(testSegmentId(13))).toBe(false)
    expect(remote.hasPiece(testSegmentId(12), 63)).toBe(true)
    expect([0, 1, 2].map((piece) => remote.hasPiece(testSegmentId(20), piece))).toEqual([true, false, true])
    expect(remote.offers(testSegmentId(21))).toBe(true)
    expect(remote.hasPiece(testSegmentId(21), 0)).toBe(false)
    expect(remote.hasAll({ track: TRACK, sequence: 12, part: 0 })).toBe(false)
  })

  it('takes the newest word on each segment, whatever it was before', () => {
    const remote = new RemoteHave()
    remote.apply(have(0, [run(1, 5)]))
    remote.apply(have(1, [partial(testSegmentId(3), 0b1)]))
    expect(remote.hasPiece(testSegmentId(3), 0)).toBe(true)
    expect(remote.hasPiece(testSegmentId(3), 1)).toBe(false)
    expect(remote.hasAll(testSegmentId(4))).toBe(true)
  })

  it('drops every segment of a dropped run, partial ones too', () => {
    const remote = new RemoteHave()
    remote.apply(have(0, [partial(testSegmentId(1), 1), partial(testSegmentId(2), 1), run(3)]))
    remote.apply(have(1, [dropped(1, 3)]))
    for (const sequence of [1, 2, 3]) expect(remote.offers(testSegmentId(sequence))).toBe(false)
  })

  it('ends in the same state in whatever order a few Haves arrive', () => {
    fc.assert(
      fc.property(
        messages.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray([...list.keys()], { minLength: list.length })),
        ),
        ([list, order]) => {
          const inOrder = new RemoteHave()
          for (const [serial, message] of list.entries()) {
            inOrder.apply(have(serial, message.entries, message.summary, serial))
          }
          const shuffled = new RemoteHave()
          for (const serial of order) {
            const message = list[serial]
            if (message !== undefined) shuffled.apply(have(serial, message.entries, message.summary, serial))
          }
          expect(stateOf(shuffled)).toEqual(stateOf(inOrder))
          expect(shuffled.backlogMs).toBe(inOrder.backlogMs)
        },
      ),
    )
  })

  it('ends in the same state where Haves are repeated', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(7), { maxLength: 10 }), (list, repeats) => {
        const once = new RemoteHave()
        const often = new RemoteHave()
        for (const [serial, message] of list.entries()) {
          const word = have(serial, message.entries, message.summary)
          once.apply(word)
          often.apply(word)
          often.apply(word)
        }
        for (const serial of repeats) {
          const message = list[serial]
          if (message !== undefined) often.apply(have(serial, message.entries, message.summary))
        }
        expect(stateOf(often)).toEqual(stateOf(once))
      }),
    )
  })

  it('keeps a summary that a newer delta has overtaken', () => {
    const remote = new RemoteHave()
    remote.apply(have(5, [run(100)]))
    remote.apply(have(4, [run(1, 50)], true))
    expect(remote.hasAll(testSegmentId(20))).toBe(true)
    expect(remote.hasAll(testSegmentId(100))).toBe(true)
  })

  it('ignores a delta older than the newest summary', () => {
    const remote = new RemoteHave()
    remote.apply(have(7, [run(1)], true, 30))
    expect(remote.apply(have(6, [run(2)], false, 99))).toBe(false)
    expect(remote.hasAll(testSegmentId(2))).toBe(false)
    expect(remote.backlogMs).toBe(30)
  })

  it('forgets a segment until it is told again', () => {
    const remote = new RemoteHave()
    remote.apply(have(0, [run(1, 3), partial(testSegmentId(9), 1)]))
    remote.forget(testSegmentId(2))
    remote.forget(testSegmentId(9))
    expect(remote.hasAll(testSegmentId(2))).toBe(false)
    expect(remote.hasAll(testSegmentId(1))).toBe(true)
    expect(remote.offers(testSegmentId(9))).toBe(false)
    remote.apply(have(1, [run(2)]))
    expect(remote.hasAll(testSegmentId(2))).toBe(true)
  })

  it('keeps what a peer makes it remember within bounds', () => {
    const remote = new RemoteHave()
    let serial = 0
    const flood = (entryOf: (index: number) => HaveEntry): void => {
      for (let message = 0; message < 60; message++) {
        const entries = Array.from({ length: MAX_HAVE_ENTRIES }, (_, index) =>
          entryOf(message * MAX_HAVE_ENTRIES + index),
        )
        remote.apply(have(serial++, entries))
      }
    }
    flood((index) => partial(testSegmentId(index), 1))
    flood((index) => ({ kind: 'run', track: index as TrackId, first: 0, count: 1 }))
    // One long run, cut at every second number.
    remote.apply(have(serial++, [run(0, 65_535)]))
    flood((index) => dropped(index * 2))
    for (let empty = 0; empty < 5_000; empty++) remote.apply(have(serial++, []))
    expect(remote.size).toBeLessThan(4_000)
  })

  it('does not pay more for a message than for its entries', () => {
    const remote = new RemoteHave()
    const full = Array.from({ length: MAX_HAVE_ENTRIES }, (_, index) => partial(testSegmentId(index), 1))
    remote.apply(have(0, full))
    // Out of order, so that whatever is replayed is replayed for each.
    for (let serial = 2_000; serial > 1_000; serial--) remote.apply(have(serial, [run(serial)]))
    expect(remote.hasAll(testSegmentId(1_500))).toBe(true)
    expect(remote.size).toBeLessThan(4_000)
  })
})
