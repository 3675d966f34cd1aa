import type { InfoHash, PeerId } from '@shoal/protocol'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { UNKNOWN_PLACE } from '../locality/place.js'
import { CANDIDATE, HASH, id } from '../testing/messages.js'
import { Offer } from '../wire/offer.js'
import type { WireText } from '../wire/wire-text.js'
import { wireText } from '../wire/wire-text.js'
import type { NodeId } from './bus.js'
import type { Item, News } from './frames.js'
import { MAX_FRAME_BYTES, packItems, packNews, readItems, readNews } from './frames.js'

const NODE = '0123456789abcdef' as NodeId
const packr = new Packr({ useRecords: false })
const infoHash = HASH as InfoHash
const place = { ...UNKNOWN_PLACE, site: -(2 ** 31), known: true }
const from = { id: id('p') as PeerId, shoal: true, seeder: false, ageSeconds: 7, place }
const to = id('\u00ff\u0000') as PeerId

const ITEMS: readonly Item[] = [
  {
    type: 'offers',
    infoHash,
    from,
    offers: [Offer.of(id('o'), '"v=0\\r\\n"' as WireText), Offer.of(id('\u00e4'), wireText('"Ā"'))],
  },
  { type: 'answer', infoHash, from, to, offerId: id('o'), sdpJson: '""' as WireText },
  { type: 'candidates', infoHash, from: from.id, to, offerId: id('o'), candidates: [CANDIDATE] },
  { type: 'accusation', infoHash, network: 'ipv4 c63364', to },
  {
    type: 'reports',
    infoHash,
    from: { witness: -7, network: 'ipv4 c63364' },
    lists: [{ s: '1:2:', h: 'A'.repeat(43) }],
    wrong: [],
  },
]

describe('items', () => {
  it('come out as they went in', () => {
    expect(readItems(packItems(NODE, 3, ITEMS))).toEqual({ from: NODE, serial: 3, items: ITEMS, rejected: 0 })
  })

  it.each([
    ['an answer that ends its string early', 2, 5, '"","info_hash":"x"'],
    ['an answer that is no string', 2, 5, '{}'],
    ['an answer that is too long', 2, 5, `"${'x'.repeat(16 * 1024 + 1)}"`],
    ['an answer with a raw line end', 2, 5, '"\n"'],
    ['an id that is too short', 2, 3, 'short'],
    ['an unknown kind', 2, 0, 9],
    ['a sketch of the wrong form', 2, 2, [1, 2]],
    ['too many offers', 1, 3, Array(11).fill([id('o'), '""'])],
    ['too many candidates', 3, 5, Array(21).fill(CANDIDATE)],
    ['a candidate that is none', 3, 5, ['candidate']],
    ['an accusation of a network that is none', 4, 2, 'x'.repeat(65)],
    ['an accusation of nobody', 4, 3, 'short'],
    ['reports of nobody', 5, 2, 'short'],
    ['reports of too many segments', 5, 4, Array(33).fill({ s: '1:2:', h: 'A'.repeat(43) })],
    ['reports out of form', 5, 5, [{ s: '1:2', h: 'A'.repeat(43) }]],
  ])('with %s are left out, the others are taken', (_, number, at, value) => {
    const frame = packr.unpack(packItems(NODE, 1, ITEMS)) as unknown[][][]
    const item = frame[3]?.[number - 1]
    if (item === undefined) throw new Error('no such item')
    item[at as number] = value as unknown as never
    expect(readItems(packr.pack(frame))).toMatchObject({ items: { length: 4 }, rejected: 1 })
  })
})

describe('news', () => {
  const counts = { viewers: 1, seeders: 2, otherLeechers: 3, otherSeeders: 4, downloaded: 5 }

  it.each<News>([
    { type: 'beat', node: NODE, serial: 4, ask: true },
    { type: 'counts', node: NODE, serial: 5, entries: [[infoHash, counts]] },
    { type: 'bye', node: NODE },
    { type: 'vouched', node: NODE, infoHash, keys: ['A'.repeat(43)] },
    {
      type: 'disputed',
      node: NODE,
      infoHash,
      verdict: { s: '1:2:', disputed: true, wrong: ['A'.repeat(43)] },
    },
    { type: 'ban', node: NODE, infoHash, address: '192.0.2.1' },
  ])('come out as they went in: $type', (news) => {
    expect(readNews(packNews(news))).toEqual(news)
  })

  it('with keys and verdicts out of form are not read', () => {
    expect(readNews(packr.pack([1, NODE, 3, infoHash, ['x']]))).toBeNull()
    expect(readNews(packr.pack([1, NODE, 3, 'short', ['A'.repeat(43)]]))).toBeNull()
    expect(readNews(packr.pack([1, NODE, 4, infoHash, { s: 'x', disputed: true }]))).toBeNull()
    expect(readNews(packr.pack([1, NODE, 4, infoHash, null]))).toBeNull()
  })

  it('with counts that are none are not read', () => {
    for (const viewers of [-1, 0.5, 1e9, '1', null]) {
      const entry = [infoHash, viewers, 0, 0, 0, 0]
      expect(readNews(packr.pack([1, NODE, 1, 1, [entry]]))).toBeNull()
    }
  })
})

describe('for any bytes', () => {
  const reads = (bytes: Uint8Array): void => {
    readItems(bytes)
    readNews(bytes)
  }

  it('nothing is thrown', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), reads), { numRuns: 500 })
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 6 }), (list) => reads(packr.pack([1, NODE, ...list]))),
      { numRuns: 500 },
    )
    const good = packItems(NODE, 1, ITEMS)
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Uint8Array.from(good)
        for (const [at, value] of changes) bytes[at] = value
        reads(bytes)
      }),
      { numRuns: 500 },
    )
  })

  it('other versions, other nodes and large frames are not read', () => {
    expect(readItems(packr.pack([2, NODE, 1, []]))).toBeNull()
    expect(readItems(packr.pack([1, 'somebody', 1, []]))).toBeNull()
    expect(readItems(packr.pack([1, NODE, 1, [], 'x'.repeat(MAX_FRAME_BYTES)]))).toBeNull()
  })
})
