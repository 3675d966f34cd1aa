import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesQuantity,
  clockText,
  countQuantity,
  durationText,
  rateQuantity,
  readableName,
  shareQuantity,
  shortHash,
  sourcesText,
  textOf,
  tickText,
  viewersText,
} from './format.js'

/** Text with ordinary spaces, for the eye. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1234, '1.23 kB'],
    [12_345, '12.3 kB'],
    [123_456, '123 kB'],
    [9_994, '9.99 kB'],
    [9_996, '10.0 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [1.5e12, '1.50 TB'],
    [4e15, '4.00 PB'],
    [5e18, '5,000 PB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(plain(textOf(bytesQuantity(bytes)))).toBe(text)
  })

  it('writes rates in bits', () => {
    expect(plain(textOf(rateQuantity(125_000)))).toBe('1.00 Mbit/s')
    expect(plain(textOf(rateQuantity(0)))).toBe('0 bit/s')
  })

  it('drops a tick’s zeros behind the point only', () => {
    expect(plain(tickText(rateQuantity(1.25e9)))).toBe('10 Gbit/s')
    expect(plain(tickText(rateQuantity(62_500)))).toBe('500 kbit/s')
    expect(plain(tickText(rateQuantity(187_500)))).toBe('1.5 Mbit/s')
  })

  it('counts in full below a million', () => {
    expect(textOf(countQuantity(999_999))).toBe('999,999')
    expect(plain(textOf(countQuantity(1_250_000)))).toBe('1.25 M')
    expect(viewersText(1)).toBe('1 viewer')
    expect(viewersText(2879)).toBe('2,879 viewers')
  })

  it('keeps the width of a number: at most five signs at any size', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e17, noNaN: true }), (bytes) => {
        expect(bytesQuantity(bytes).number).toMatch(/^(\d{1,3}|\d\.\d\d|\d\d\.\d)$/)
      }),
    )
  })
})

describe('shareQuantity', () => {
  it.each([
    [null, '–'],
    [0, '0 %'],
    [1e-9, '0.1 %'],
    [0.5, '50.0 %'],
    [0.8744, '87.4 %'],
    [0.9999, '99.9 %'],
    [1, '100 %'],
  ])('writes %s as %s', (share, text) => {
    expect(plain(textOf(shareQuantity(share)))).toBe(text)
  })
})

describe('time', () => {
  it.each([
    [-3, '0 s'],
    [0.9, '0 s'],
    [12, '12 s'],
    [60, '1 min 00 s'],
    [252, '4 min 12 s'],
    [3 * 3600 + 240, '3 h 04 min'],
    [12 * 86_400 + 4 * 3600 + 59, '12 d 4 h'],
  ])('writes %d s as %s', (seconds, text) => {
    expect(plain(durationText(seconds))).toBe(text)
  })

  it('writes the time of day where the reader is', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5).getTime()
    expect(clockText(at, true)).toBe('03:04:05')
    expect(clockText(at, false)).toBe('03:04')
  })
})

describe('texts', () => {
  it('says what a bar shows', () => {
    expect(plain(sourcesText({ peers: 2e9, seeders: 0, http: 1e6 }))).toBe(
      'peers 2.00 GB, seeders 0 B, HTTP 1.00 MB',
    )
    expect(sourcesText({ peers: 0, seeders: 0, http: 0 })).toBe('no bytes yet')
  })

  it('makes a stranger’s name safe to read', () => {
    expect(readableName('Harbour\u202e puC\u0000\n\tfinal')).toBe('Harbour puC final')
    expect(readableName('دورة تدريبية')).toBe('دورة تدريبية')
    expect(readableName('\u200b\u2066 ')).toBeNull()
    expect(readableName(null)).toBeNull()
  })

  it('shortens a hash', () => {
    expect(shortHash('0123456789abcdef')).toBe('01234567')
  })
})
