import { MAX_SDP_CHARS } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { announce, answer, candidates, HASH, id, offers, shoal } from '../testing/messages.js'
import { MessageFields } from './message-fields.js'
import { type Offer, RawJsonString } from './offer.js'
import { scanMessage } from './scan-message.js'
import type { WireText } from './wire-text.js'

const scan = (text: string) => scanMessage(Buffer.from(text))

/** What the scanner gives, with its session descriptions decoded. */
function decoded(fields: MessageFields): unknown {
  fields.binary = false
  const { offers: list, answer: text } = fields
  if (Array.isArray(list)) fields.offers = list.map((offer: Offer) => decodedOffer(offer))
  if (text instanceof RawJsonString) fields.answer = { type: 'answer', sdp: JSON.parse(text.json) }
  return fields
}

function decodedOffer({ offerId, rest, sdpJson, target }: Offer): unknown {
  const relayed = JSON.parse(Buffer.from(`{${rest}`, 'latin1').toString('utf8'))
  expect(relayed).toEqual({ offer: { type: 'offer', sdp: JSON.parse(sdpJson) }, offer_id: offerId })
  return target === null ? relayed : { to_peer_id: target, ...relayed }
}

/** The property: scanned as `JSON.parse` reads it, or not at all. Returns which. */
function agrees(bytes: Buffer): boolean {
  const scanned = scanMessage(bytes)
  if (scanned === null) return false
  expect(decoded(scanned)).toEqual(MessageFields.of(JSON.parse(bytes.toString('utf8'))))
  return true
}

const REPORT = { http: 1, peers: 2, seeders: 3, uploaded: 4, links: 5, stalls: 6 }
const binary20 = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 20, maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes))

describe('usual messages are scanned', () => {
  const stock = {
    numwant: 2,
    uploaded: 0,
    downloaded: 0,
    left: null,
    event: 'started',
    action: 'announce',
    info_hash: HASH,
    peer_id: id('p'),
    ...offers('a', 'b'),
  }

  it.each([
    ['a stock announce', stock],
    ['a stock announce without an event', { ...stock, event: undefined, left: 12 }],
    ['an announce of ours', shoal('p', { role: 'seeder', name: 'A title', report: REPORT }, offers('a'))],
    ['a report', shoal('p', { report: REPORT }, { event: 'update' })],
    ['an answer', answer('p', 'q', 'o')],
    ['candidates', candidates('p', 'q', 'o', 3)],
    ['a scrape', { action: 'scrape', info_hash: HASH }],
    ['a stop', announce('p', { event: 'stopped' })],
  ])('%s', (_, message) => {
    expect(agrees(Buffer.from(JSON.stringify(message)))).toBe(true)
  })

  it('with any bytes for ids', () => {
    fc.assert(
      fc.property(binary20, binary20, binary20, (infoHash, peerId, offerId) => {
        const offer = { type: 'offer', sdp: 'v=0\r\na="\\/\u0007' }
        const message = {
          action: 'announce',
          info_hash: infoHash,
          peer_id: peerId,
          offers: [
            { to_peer_id: peerId, offer, offer_id: offerId },
            { offer, offer_id: offerId },
          ],
        }
        expect(agrees(Buffer.from(JSON.stringify(message)))).toBe(true)
      }),
    )
  })

  it('keeps the session description as it was written', () => {
    const written = String.raw`"v=0\r\n\u0061\/\""`
    const text = `{"action":"announce","answer":{"type":"answer","sdp":${written}}}`
    expect(scan(text)?.answer).toEqual(new RawJsonString(written as WireText))
    const offer = `"offer_id":"${id('o')}","offer":{"sdp":${written},"type":"offer"}}`
    const list = scan(`{"offers":[{${offer}]}`)?.offers
    expect(list).toMatchObject([{ rest: offer, sdpJson: written }])
  })
})

describe('unusual messages are left to JSON.parse', () => {
  const OFFER = `"offer":{"type":"offer","sdp":""},"offer_id":"${id('o')}"`
  const sdp = (json: string) => `{"action":"announce","answer":{"type":"answer","sdp":${json}}}`

  it.each([
    ['no object', '[]'],
    ['an unknown key', '{"action":"announce","other":1}'],
    ['a key twice', '{"action":"announce","action":"scrape"}'],
    ['a null twice', '{"left":null,"left":null}'],
    ['a key of another place', '{"sdp":"x"}'],
    ['white space', '{"action": "announce"}'],
    ['more behind it', '{"action":"announce"}{}'],
    ['an end too early', '{"action":"announce"'],
    ['a comma too many', '{"action":"announce",}'],
    ['a fraction', '{"left":1.5}'],
    ['an exponent', '{"left":1e3}'],
    ['a negative number', '{"left":-1}'],
    ['a leading zero', '{"left":01}'],
    ['a number that a double rounds', '{"left":9007199254740993}'],
    ['an id above U+00FF', JSON.stringify({ peer_id: 'Ā'.repeat(20) })],
    ['an id that is escaped above U+00FF', '{"peer_id":"\\u0100"}'],
    ['an id that is too long', JSON.stringify({ peer_id: 'x'.repeat(21) })],
    ['a session description beyond ASCII', sdp('"ä"')],
    ['one with a raw line end', sdp('"a\nb"')],
    ['one with an unknown escape', sdp('"\\x41"')],
    ['one with half an escape', sdp('"\\u00"')],
    ['one that ends with a backslash', '{"answer":{"sdp":"\\"}'],
    ['one that is too long', sdp(JSON.stringify('x'.repeat(MAX_SDP_CHARS + 1)))],
    ['one that is no string', sdp('1')],
    ['one of another type', '{"answer":{"type":"offer","sdp":""}}'],
    ['one without a type', '{"answer":{"sdp":""}}'],
    ['one with a key twice', '{"answer":{"sdp":"","sdp":""}}'],
    ['one with a key more', '{"answer":{"type":"answer","sdp":"","x":""}}'],
    ['an offer without an id', '{"offers":[{"offer":{"type":"offer","sdp":""}}]}'],
    ['an offer with a short id', '{"offers":[{"offer":{"type":"offer","sdp":""},"offer_id":"x"}]}'],
    ['an offer without a description', `{"offers":[{"offer_id":"${id('o')}"}]}`],
    ['an empty offer', '{"offers":[{}]}'],
    ['null for an offer', '{"offers":[null]}'],
    ['an offer with a short target', `{"offers":[{"to_peer_id":"x",${OFFER}}]}`],
    ['an offer for another node', `{"offers":[{"to_peer_id":null,${OFFER}}]}`],
    ['an offer whose target comes last', `{"offers":[{${OFFER},"to_peer_id":"${id('t')}"}]}`],
    [
      'an offer with two targets',
      `{"offers":[{"to_peer_id":"${id('t')}","to_peer_id":"${id('t')}",${OFFER}}]}`,
    ],
    ['an extension that is no object', '{"shoal":[]}'],
    ['an extension that is no JSON', '{"shoal":{"v":1]}'],
    ['an extension that is deep', `{"shoal":${'{"a":'.repeat(20)}1${'}'.repeat(20)}}`],
  ])('%s', (_, text) => {
    expect(scan(text)).toBeNull()
  })

  it('bytes that are not UTF-8', () => {
    for (const bytes of ['c3', 'c328', 'c080', 'e28098', 'ff']) {
      const id = Buffer.concat([Buffer.from('{"peer_id":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')])
      expect(scanMessage(id), bytes).toBeNull()
    }
  })
})

describe('for any input the scanner agrees with JSON.parse or gives up', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), binary20, fc.constant('announce'))
  const number = fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger())
  const any = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, number, fc.constant(null))
  const usually = <T>(usual: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: any })
  const sdp = fc.string({ unit: fc.constantFrom('a', ' ', '\r', '\n', '"', '\\', '/', '\u0000', '\u007e') })
  const description = fc.record(
    { type: usually(fc.constantFrom('offer', 'answer')), sdp: usually(sdp) },
    { requiredKeys: ['type', 'sdp'] },
  )
  const entry = fc.record(
    { to_peer_id: usually(binary20), offer: description, offer_id: usually(binary20) },
    { requiredKeys: ['offer', 'offer_id'] },
  )
  const message = fc.record(
    {
      action: usually(fc.constantFrom('announce', 'scrape')),
      event: usually(fc.constantFrom('started', '')),
      info_hash: usually(binary20),
      peer_id: usually(binary20),
      to_peer_id: binary20,
      offer_id: binary20,
      left: usually(fc.nat()),
      numwant: fc.nat(),
      answer: usually(description),
      offers: fc.array(usually(entry), { maxLength: 3 }),
      shoal: usually(fc.dictionary(fc.string(), fc.nat())),
    },
    { requiredKeys: [] },
  )

  it('well formed', () => {
    let scanned = 0
    const property = (value: object) => {
      if (agrees(Buffer.from(JSON.stringify(value)))) scanned++
    }
    fc.assert(fc.property(message, property), { numRuns: 2000 })
    expect(scanned).toBeGreaterThan(200)
  })

  it('with bytes overwritten, taken out and put in', () => {
    const [first, second] = offers('a', 'b')['offers'] as [object, object]
    const base = Buffer.from(
      JSON.stringify({
        ...shoal('p', { report: REPORT }, { offers: [{ to_peer_id: id('t'), ...first }, second] }),
        answer: { type: 'answer', sdp: 'a\r\n"b' },
      }),
    )
    expect(agrees(base)).toBe(true)
    const piece = fc.oneof(
      fc.constantFrom(
        '"',
        '\\',
        '\\u00e4',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '.',
        'null',
        ' ',
        '\n',
        'ä',
        '\\"',
      ),
      fc.string({ maxLength: 3 }),
    )
    const edit = fc.tuple(fc.nat(base.length), fc.nat(3), piece)
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let bytes: Buffer = base
        for (const [at, removed, added] of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(added), bytes.subarray(at + removed)])
        }
        agrees(bytes)
      }),
      { numRuns: 3000 },
    )
  })
})
