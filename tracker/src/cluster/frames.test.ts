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
import { MAX_FRAME_BYTES, VERSION } from './frame-fields.js'
import { FrameWriter, readItems } from './frames.js'
import type { Item } from './items.js'
import type { News } from './news.js'
import { packNews, readNews } from './news.js'

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

/** The bytes are those of the writer: they change with what it writes next. */
function packItems(serial: number, items: readonly Item[]): Buffer {
  const frame = new FrameWriter(NODE)
  for (const item of items) expect(frame.add(item)).toBe(true)
  return Buffer.from(frame.take(serial))
}

const HEAD_BYTES = 15

/** A frame of one item, which is these bytes. */
function frameOf(item: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(item.length)
  return Buffer.concat([packItems(1, []), length, item])
}

/** The bytes of an item, without its length. */
function bytesOf(item: Item): Buffer {
  return packItems(1, [item]).subarray(HEAD_BYTES + 4)
}

const [OFFERS, ANSWER] = ITEMS as readonly [Item, Item, ...Item[]]
const OFFERS_AT = 70
const ANSWER_AT = 110

/** An item with other bytes from here on. */
function ending(item: Item, at: number, text: string): Buffer {
  return Buffer.concat([bytesOf(item).subarray(0, at), Buffer.from(text)])
}

const packed = (kind: number, ...fields: unknown[]) => Buffer.concat([Buffer.of(kind), packr.pack(fields)])
const list = { s: '1:2:', h: 'A'.repeat(43) }
const offer = { offer: { type: 'offer', sdp: 'sdp' }, offer_id: id('o') }

describe('items', () => {
  it('come out as they went in', () => {
    expect(readItems(packItems(2 ** 40, ITEMS))).toEqual({
      from: NODE,
      serial: 2 ** 40,
      items: ITEMS,
      rejected: 0,
    })
  })

  it('come out of a writer that is used again, whatever their size', () => {
    const sdpJson = `"${'x'.repeat(16_000)}"` as WireText
    const large: Item = { type: 'answer', infoHash, from, to, offerId: id('o'), sdpJson }
    const frame = new FrameWriter(NODE)
    for (let serial = 1; serial <= 3; serial++) {
      const items: Item[] = []
      while (!frame.isFull) {
        expect(frame.add(large)).toBe(true)
        items.push(large)
      }
      expect(items.length).toBe(17)
      expect(readItems(frame.take(serial))).toMatchObject({ serial, items, rejected: 0 })
      expect(frame.isEmpty).toBe(true)
    }
  })

  it('without room are not taken, and leave the frame as it was', () => {
    const frame = new FrameWriter(NODE)
    const sdpJson = `"${'x'.repeat(MAX_FRAME_BYTES)}"` as WireText
    expect(frame.add({ type: 'answer', infoHash, from, to, offerId: id('o'), sdpJson })).toBe(false)
    expect(frame.add(ANSWER)).toBe(true)
    expect(readItems(frame.take(1))).toMatchObject({ items: [ANSWER], rejected: 0 })
  })

  it('in an unusual form are read anew, and go on in the usual one', () => {
    const spaced = JSON.stringify([{ ...offer, more: 1 }], null, 1)
    expect(readItems(frameOf(ending(OFFERS, OFFERS_AT, spaced)))?.items).toEqual([
      { ...OFFERS, offers: [Offer.of(id('o'), '"sdp"' as WireText)] },
    ])
    expect(readItems(frameOf(ending(ANSWER, ANSWER_AT, '"\\/\u00e4"')))?.items).toEqual([
      { ...ANSWER, sdpJson: wireText('"/\u00e4"') },
    ])
  })

  it.each<[string, Uint8Array]>([
    ['an answer that ends its string early', ending(ANSWER, ANSWER_AT, '"","info_hash":"x"')],
    ['an answer that is no string', ending(ANSWER, ANSWER_AT, '{}')],
    ['an answer that is too long', ending(ANSWER, ANSWER_AT, `"${'x'.repeat(16 * 1024 + 1)}"`)],
    ['an answer with a raw line end', ending(ANSWER, ANSWER_AT, '"\n"')],
    ['an answer without its sketch', bytesOf(ANSWER).subarray(0, 80)],
    ['unknown flags of a peer', Buffer.from(bytesOf(ANSWER)).fill(8, 81, 82)],
    ['an unknown kind', packed(9, infoHash)],
    ['no kind', Buffer.of()],
    ['no offers', ending(OFFERS, OFFERS_AT, '[]')],
    ['too many offers', ending(OFFERS, OFFERS_AT, JSON.stringify(Array(11).fill(offer)))],
    ['an offer that brings keys of its own', ending(OFFERS, OFFERS_AT, '[{"offer":{}},"info_hash":"x"}]')],
    ['an offer without an id', ending(OFFERS, OFFERS_AT, JSON.stringify([{ offer: offer.offer }]))],
    ['an id that is too short', packed(2, infoHash, from.id, 'short', id('o'), [CANDIDATE])],
    ['too many candidates', packed(2, infoHash, from.id, to, id('o'), Array(21).fill(CANDIDATE))],
    ['a candidate that is none', packed(2, infoHash, from.id, to, id('o'), ['candidate'])],
    ['an accusation of a network that is none', packed(3, infoHash, 'x'.repeat(65), to)],
    ['an accusation of nobody', packed(3, infoHash, 'ipv4 c63364', 'short')],
    ['reports of nobody', packed(4, infoHash, 'short', 'ipv4 c63364', [list], [])],
    ['reports of too many segments', packed(4, infoHash, 1, 'ipv4 c63364', Array(33).fill(list), [])],
    ['reports out of form', packed(4, infoHash, 1, 'ipv4 c63364', [{ s: '1:2', h: list.h }], [])],
  ])('with %s are left out, the others are taken', (_, item) => {
    const good = packItems(1, ITEMS)
    const frame = Buffer.concat([good, frameOf(item).subarray(HEAD_BYTES)])
    expect(readItems(frame)).toMatchObject({ items: ITEMS, rejected: 1 })
  })

  it('that go beyond the frame make it no frame', () => {
    const good = packItems(1, ITEMS)
    expect(readItems(good.subarray(0, -1))).toBeNull()
    expect(readItems(Buffer.concat([good, Buffer.of(0)]))).toBeNull()
    expect(readItems(Buffer.concat([packItems(1, []), Buffer.alloc(4 * 4097)]))).toBeNull()
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
    expect(readNews(packr.pack([VERSION, NODE, 3, infoHash, ['x']]))).toBeNull()
    expect(readNews(packr.pack([VERSION, NODE, 3, 'short', ['A'.repeat(43)]]))).toBeNull()
    expect(readNews(packr.pack([VERSION, NODE, 4, infoHash, { s: 'x', disputed: true }]))).toBeNull()
    expect(readNews(packr.pack([VERSION, NODE, 4, infoHash, null]))).toBeNull()
  })

  it('with counts that are none are not read', () => {
    for (const viewers of [-1, 0.5, 1e9, '1', null]) {
      const entry = [infoHash, viewers, 0, 0, 0, 0]
      expect(readNews(packr.pack([VERSION, NODE, 1, 1, [entry]]))).toBeNull()
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
      fc.property(fc.array(fc.anything(), { maxLength: 6 }), (list) =>
        reads(packr.pack([VERSION, NODE, ...list])),
      ),
      { numRuns: 500 },
    )
    const good = packItems(1, ITEMS)
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
    const other = packItems(1, ITEMS)
    other[0] = VERSION + 1
    expect(readItems(other)).toBeNull()
    expect(readItems(Buffer.alloc(MAX_FRAME_BYTES + 1, VERSION))).toBeNull()
    const beat = [NODE, 0, 1, true]
    expect(readNews(packr.pack([VERSION, ...beat]))).not.toBeNull()
    expect(readNews(packr.pack([VERSION + 1, ...beat]))).toBeNull()
    expect(readNews(packr.pack([VERSION, 'somebody', 0, 1, true]))).toBeNull()
    expect(readNews(packr.pack([VERSION, ...beat, 'x'.repeat(MAX_FRAME_BYTES)]))).toBeNull()
  })
})
