import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { announce, answer, CANDIDATE, candidates, HASH, id, offers, shoal } from '../testing/messages.js'
import { MAX_OFFERS_PER_ANNOUNCE, MAX_SCRAPE_HASHES, readClientMessage } from './client-message.js'
import { MessageError } from './message-error.js'
import { failureText } from './server-message.js'

const readText = (text: string) => readClientMessage(Buffer.from(text))
const read = (message: unknown) => readText(JSON.stringify(message))

function failure(message: unknown): MessageError {
  try {
    readText(typeof message === 'string' ? message : JSON.stringify(message))
  } catch (error) {
    if (error instanceof MessageError) return error
    throw error
  }
  throw new Error('was read')
}

describe('announce', () => {
  it('is read with its offers', () => {
    const message = read(announce('p', { ...offers('o1', 'o2'), event: 'started' }))
    const list = message.type === 'announce' ? message.offers : []
    expect({ ...message, offers: list.map(({ offerId, sdpJson }) => ({ offerId, sdpJson })) }).toEqual({
      type: 'announce',
      infoHash: HASH,
      peerId: id('p'),
      event: 'started',
      left: 1,
      offers: [
        { offerId: id('o1'), sdpJson: '"sdp o1"' },
        { offerId: id('o2'), sdpJson: '"sdp o2"' },
      ],
      shoal: null,
    })
  })

  it.each(['update', 'paused', 'empty', '', null, undefined])('takes event %j for an update', (event) => {
    expect(read(announce('p', { event }))).toMatchObject({ event: 'update' })
  })

  it.each([
    [null, null],
    [undefined, null],
    [0, 0],
    [1e300, 1e300],
  ])('takes left %j', (left, expected) => {
    expect(read(announce('p', { left }))).toMatchObject({ left: expected })
  })

  it('takes absent and null offers for none', () => {
    expect(read(announce('p', { offers: null }))).toMatchObject({ offers: [] })
    expect(read(announce('p'))).toMatchObject({ offers: [] })
  })

  it('looks at ten offers only', () => {
    const names = Array.from({ length: 40 }, (_, i) => `o${i}`)
    const list: unknown[] = offers(...names)['offers'] as unknown[]
    const message = read(announce('p', { offers: [...list.slice(0, MAX_OFFERS_PER_ANNOUNCE), null] }))
    expect(message).toMatchObject({ type: 'announce' })
    expect(message.type === 'announce' && message.offers.length).toBe(MAX_OFFERS_PER_ANNOUNCE)
  })

  it('takes any 20 characters from U+0000 to U+00FF for an id', () => {
    const latin1 = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 20, maxLength: 20 })
    fc.assert(
      fc.property(latin1, latin1, (a, b) => {
        const infoHash = String.fromCharCode(...a)
        const peerId = String.fromCharCode(...b)
        expect(read({ action: 'announce', info_hash: infoHash, peer_id: peerId })).toMatchObject({
          infoHash,
          peerId,
        })
      }),
    )
  })

  it('reads the extension', () => {
    const report = { http: 1, peers: 2, seeders: 3, uploaded: 4, links: 5, stalls: 6 }
    expect(read(shoal('p', { role: 'seeder', name: 'A title', report, later: true }))).toMatchObject({
      shoal: { v: 1, role: 'seeder', name: 'A title', report },
    })
    const hints = {
      uplink: 375_000.5,
      uploads: false,
      slots: 0,
      playhead: 7.5,
      nat: 'cone',
      degree: 12,
      backlog: 120,
      ok: 14,
      failed: 3,
    }
    expect(read(shoal('p', hints))).toMatchObject({ shoal: { v: 1, role: 'viewer', ...hints } })
    expect(read(shoal('p', { uplink: null, uploads: null, nat: null }))).toMatchObject({
      shoal: { v: 1, role: 'viewer' },
    })
    expect(read(shoal('p', { name: 'x'.repeat(500) }))).toMatchObject({ shoal: { name: 'x'.repeat(80) } })
  })
})

describe('answer, candidates, scrape', () => {
  it('are read', () => {
    expect(read(answer('p', 'q', 'o'))).toEqual({
      type: 'answer',
      infoHash: HASH,
      peerId: id('p'),
      toPeerId: id('q'),
      offerId: id('o'),
      sdpJson: '"answer to o"',
    })
    expect(read(candidates('p', 'q', 'o'))).toMatchObject({ type: 'candidates', candidates: [CANDIDATE] })
    expect(read({ action: 'scrape', info_hash: HASH })).toEqual({ type: 'scrape', infoHashes: [HASH] })
    expect(read({ action: 'scrape', info_hash: [HASH, id('x')] })).toEqual({
      type: 'scrape',
      infoHashes: [HASH, id('x')],
    })
  })
})

describe('what is out of form', () => {
  const report = { http: 1, peers: 2, seeders: 3, uploaded: 4, links: 5, stalls: 6 }
  const sdp = 'x'.repeat(16 * 1024 + 1)

  it.each([
    ['message', 'null'],
    ['message', '[]'],
    ['message', '7'],
    ['message', '"announce"'],
    ['message', '{'],
    ['message', ''],
    ['message', '['.repeat(30_000)],
    ['message', '{"a":'.repeat(10_000)],
    ['action', {}],
    ['action', { action: 7 }],
    ['action', { action: 'connect' }],
    ['info_hash', { action: 'announce' }],
    ['info_hash', announce('p', { info_hash: 'short' })],
    ['info_hash', announce('p', { info_hash: 'Ā'.repeat(20) })],
    ['info_hash', announce('p', { info_hash: [HASH] })],
    ['peer_id', announce('p', { peer_id: 12 })],
    ['event', announce('p', { event: 'exploded' })],
    ['event', announce('p', { event: 3 })],
    ['left', announce('p', { left: '0' })],
    ['left', announce('p', { left: -1 })],
    ['offers', announce('p', { offers: 'many' })],
    ['offers[0]', announce('p', { offers: [null] })],
    ['offers[0]', announce('p', { offers: [[]] })],
    ['offer_id', announce('p', { offers: [{ offer: { type: 'offer', sdp: '' } }] })],
    ['offers.offer', announce('p', { offers: [{ offer_id: id('o') }] })],
    ['offers.offer', announce('p', { offers: [{ offer_id: id('o'), offer: { type: 'answer', sdp: '' } }] })],
    ['offers.offer', announce('p', { offers: [{ offer_id: id('o'), offer: { type: 'offer', sdp } }] })],
    ['answer', { ...answer('p', 'q', 'o'), answer: 'yes' }],
    ['answer', { ...answer('p', 'q', 'o'), answer: { type: 'answer', sdp: null } }],
    ['to_peer_id', { ...answer('p', 'q', 'o'), to_peer_id: null }],
    ['shoal', announce('p', { shoal: null })],
    ['shoal', announce('p', { shoal: [] })],
    ['shoal.v', shoal('p', { v: 2 })],
    ['shoal.role', shoal('p', { role: 'king' })],
    ['shoal.name', shoal('p', { name: 3 })],
    ['shoal.report', shoal('p', { report: 3 })],
    ['shoal.report.http', shoal('p', { report: { ...report, http: -1 } })],
    ['shoal.report.peers', shoal('p', { report: { ...report, peers: '2' } })],
    ['shoal.report.stalls', shoal('p', { report: { ...report, stalls: 2 ** 51 } })],
    ['shoal.report.links', shoal('p', { report: { ...report, links: undefined } })],
    ['shoal.uplink', shoal('p', { uplink: -1 })],
    ['shoal.uplink', shoal('p', { uplink: 1.25e9 + 1 })],
    ['shoal.uploads', shoal('p', { uploads: 1 })],
    ['shoal.slots', shoal('p', { slots: '4' })],
    ['shoal.playhead', shoal('p', { playhead: {} })],
    ['shoal.playhead', JSON.stringify(shoal('p', { playhead: 7 })).replace('7', '1e999')],
    ['shoal.nat', shoal('p', { nat: 'strict' })],
    ['shoal.degree', shoal('p', { degree: 10_001 })],
    ['shoal.backlog', shoal('p', { backlog: -0.1 })],
    ['shoal.ok', shoal('p', { ok: true })],
    ['shoal.failed', shoal('p', { failed: [] })],
    ['shoal.candidates', candidates('p', 'q', 'o', 0)],
    ['shoal.candidates', candidates('p', 'q', 'o', 21)],
    ['shoal.candidates', { ...candidates('p', 'q', 'o'), offers: [] }],
    ['shoal.candidates', { ...candidates('p', 'q', 'o'), shoal: { v: 1, candidates: ['c'] } }],
    ['info_hash', { action: 'scrape' }],
    ['info_hash', { action: 'scrape', info_hash: null }],
    ['info_hash', { action: 'scrape', info_hash: [] }],
    ['info_hash', { action: 'scrape', info_hash: [null] }],
    ['info_hash', { action: 'scrape', info_hash: Array(MAX_SCRAPE_HASHES + 1).fill(HASH) }],
  ])('names %s', (key, message) => {
    expect(failure(message).message.split(': ')[0]).toBe(key)
  })

  it('carries the action and the info hash where they are known', () => {
    expect(failure(announce('p', { left: 'x' }))).toMatchObject({ action: 'announce', infoHash: HASH })
    expect(failure({ action: 'scrape', info_hash: 4 })).toMatchObject({ action: 'scrape', infoHash: null })
    expect(JSON.parse(failureText(failure(announce('p', { left: 'x' }))))).toEqual({
      code: 'bad-message',
      'failure reason': 'left: neither null nor a number from 0',
      action: 'announce',
      info_hash: HASH,
    })
  })
})

/** Objects with the protocol's keys, and right or wrong values in them. */
const almostMessage = fc.record(
  {
    action: fc.oneof(fc.constantFrom('announce', 'scrape'), fc.jsonValue()),
    info_hash: fc.oneof(fc.constant(HASH), fc.jsonValue()),
    peer_id: fc.oneof(fc.constant(id('p')), fc.jsonValue()),
    to_peer_id: fc.oneof(fc.constant(id('q')), fc.jsonValue()),
    offer_id: fc.oneof(fc.constant(id('o')), fc.jsonValue()),
    event: fc.jsonValue(),
    left: fc.jsonValue(),
    offers: fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record(
          {
            offer_id: fc.oneof(fc.constant(id('o')), fc.jsonValue()),
            offer: fc.oneof(fc.jsonValue(), fc.record({ type: fc.constant('offer'), sdp: fc.jsonValue() })),
          },
          { requiredKeys: [] },
        ),
      ),
    ),
    answer: fc.jsonValue(),
    shoal: fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          v: fc.constant(1),
          role: fc.constant('viewer'),
          report: fc.jsonValue(),
          uplink: fc.jsonValue(),
          uploads: fc.jsonValue(),
          nat: fc.jsonValue(),
          playhead: fc.jsonValue(),
          candidates: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['action'] },
)

describe('for any input', () => {
  const readsOrFails = (text: string): void => {
    try {
      readText(text)
    } catch (error) {
      expect(error).toBeInstanceOf(MessageError)
    }
  }

  it('nothing but a MessageError is thrown', () => {
    fc.assert(fc.property(fc.string(), readsOrFails))
    fc.assert(fc.property(fc.json(), readsOrFails))
    fc.assert(
      fc.property(almostMessage, (message) => readsOrFails(JSON.stringify(message))),
      { numRuns: 2000 },
    )
  })
})
