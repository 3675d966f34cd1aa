import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { dialAnswer } from './dial.js'
import { type DialAddress, dialAddressText, dialPeerId, readDialAddress } from './dial-address.js'
import { isBinaryString20 } from './ids.js'
import { readDescription } from './signals.js'
import type { PeerId } from './units.js'

const HEX = '00ff1020304050607080900a0b0c0d0e0f101112131415161718191a1b1c1d1e'
const FINGERPRINT = HEX.toUpperCase().match(/../g)?.join(':') ?? ''
const at = (place: string) => `shoal-dial://${place}/${HEX}`

describe('a dial address', () => {
  it.each([
    ['203.0.113.5:40000', '203.0.113.5', 40_000],
    ['[2001:db8::5]:1', '2001:db8::5', 1],
    ['[::ffff:203.0.113.5]:9', '::ffff:203.0.113.5', 9],
    ['seeder-1.example.com:65535', 'seeder-1.example.com', 65_535],
    ['localhost:4000', 'localhost', 4_000],
  ])('is read: %s', (place, host, port) => {
    const address = readDialAddress(at(place))
    expect(address).toEqual({ host, port, fingerprint: FINGERPRINT })
    expect(dialAddressText(address)).toBe(at(place))
  })

  it.each([
    ['nothing', ''],
    ['no text', 7],
    ['another scheme', at('203.0.113.5:40000').replace('shoal-dial', 'https')],
    ['no port', at('203.0.113.5')],
    ['port 0', at('203.0.113.5:0')],
    ['a port beyond 65535', at('203.0.113.5:65536')],
    ['a port with a zero in front', at('203.0.113.5:080')],
    ['a user', at('me@203.0.113.5:40000')],
    ['a bad IPv4 address', at('203.0.113.500:40000')],
    ['a short IPv4 address', at('127.1:40000')],
    ['IPv6 without brackets', at('2001:db8::5:40000')],
    ['a bad IPv6 address', at('[2001:db8::5::1]:40000')],
    ['a zone', at('[fe80::1%eth0]:40000')],
    ['IPv4 in brackets', at('[203.0.113.5]:40000')],
    ['an upper-case name', at('Seeder.example:40000')],
    ['an empty label', at('seeder..example:40000')],
    ['a label that begins with a hyphen', at('-seeder.example:40000')],
    ['a line break', `${at('203.0.113.5:40000')}\n`],
    ['a line break in the name', at('a\r\nb:40000')],
    ['a short fingerprint', at('203.0.113.5:40000').slice(0, -1)],
    ['a long fingerprint', `${at('203.0.113.5:40000')}0`],
    ['an upper-case fingerprint', at('203.0.113.5:40000').replace('ff', 'FF')],
    ['a query', `${at('203.0.113.5:40000')}?x=1`],
    ['a long name', at(`${'a'.repeat(400)}:40000`)],
  ])('with %s is refused', (_name, text) => {
    expect(decodeErrorCode(() => readDialAddress(text))).toBe('bad-value')
  })

  it('survives the way into text and back, and its answer is a description', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const arbitrary: fc.Arbitrary<DialAddress> = fc.record({
      host: fc.oneof(
        fc.ipV4(),
        fc.ipV6().filter((ip) => !ip.includes('.')),
        fc.domain().map((name) => name.toLowerCase()),
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
      fingerprint: fc
        .array(byte, { minLength: 32, maxLength: 32 })
        .map((bytes) => bytes.map((one) => one.toString(16).toUpperCase().padStart(2, '0')).join(':')),
    })
    fc.assert(
      fc.property(arbitrary, (address) => {
        expect(readDialAddress(dialAddressText(address))).toEqual(address)
        expect(isBinaryString20(dialPeerId(address))).toBe(true)
      }),
    )
  })

  it('of any text is an address or a DecodeError', () => {
    const digits = fc.constantFrom(HEX, HEX.slice(1))
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.string(), digits).map(([host, hex]) => `shoal-dial://${host}:1/${hex}`),
      fc.tuple(fc.webUrl(), digits).map(([url, hex]) => `${url.replace(/^\w+/, 'shoal-dial')}:1/${hex}`),
    )
    fc.assert(
      fc.property(text, (some) => {
        const code = decodeErrorCode(() => readDialAddress(some))
        expect([null, 'bad-value']).toContain(code)
      }),
    )
  })

  it('tells the peer id of the seeder', () => {
    expect(dialPeerId(readDialAddress(at('203.0.113.5:40000')))).toBe('-SH0100-AP8QIDBAUGBw')
  })
})

describe("the seeder's answer", () => {
  const PEER = '-SH0100-abcdefghijkl' as PeerId
  const OFFER = 'v=0\r\na=ice-ufrag:Ab+/\r\na=ice-pwd:0123456789+/0123456789ab\r\na=mid:data\r\n'

  it('is a description that peers take', () => {
    const sdp = dialAnswer(OFFER, PEER, readDialAddress(at('[2001:db8::5]:4000')))
    expect(readDescription({ type: 'answer', sdp }).sdp).toBe(sdp)
    expect(sdp).toContain('a=mid:data\r\n')
    expect(sdp).toContain('a=candidate:1 1 UDP 2122260223 2001:db8::5 4000 typ host\r\n')
    expect(sdp).toContain(
      'a=ice-ufrag:shoal12d5348303130302d6162636465666768696a6b6c04Ab+/0123456789+/0123456789ab\r\n',
    )
  })

  it('needs an offer with credentials', () => {
    expect(decodeErrorCode(() => dialAnswer('v=0', PEER, readDialAddress(at('a.b:1'))))).toBe('bad-sdp')
  })
})
