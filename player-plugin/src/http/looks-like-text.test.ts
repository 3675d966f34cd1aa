import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LOOK_BYTES, looksLikeText } from './looks-like-text.js'

const ascii = (text: string) => new TextEncoder().encode(text)

test.each([
  '<!DOCTYPE html>\r\n<html lang="en"><head><title>Log in</title>',
  '\n\n  <html><body>Welcome to the airport</body></html>',
  '\ufeff<?xml version="1.0" encoding="UTF-8"?><Error>',
  '{"error":"token expired","code":40301,"message":"…"}',
  'Forbidden',
])('%j is text', (text) => {
  expect(looksLikeText(ascii(text))).toBe(true)
})

test.each<[string, number[]]>([
  ['MPEG-TS', [0x47, 0x40, 0x11, 0x10, 0x00, 0x42, 0xf0, 0x25]],
  ['fMP4', [0x00, 0x00, 0x00, 0x18, ...ascii('stypmsdh'), 0, 0, 0, 0, ...ascii('msdhmsix')]],
  ['ADTS', [0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc]],
  ['an ID3 tag', [...ascii('ID3'), 0x04, 0x00, 0x00, ...ascii('PRIV owner')]],
])('%s is not', (_, bytes) => {
  expect(looksLikeText(Uint8Array.from(bytes))).toBe(false)
})

test('one binary byte among the first ones is enough', () => {
  fc.assert(
    fc.property(fc.nat(LOOK_BYTES - 1), fc.integer({ min: 0x7f, max: 0xff }), (at, byte) => {
      const head = new Uint8Array(LOOK_BYTES).fill(0x41)
      head[at] = byte
      expect(looksLikeText(head)).toBe(false)
    }),
  )
})

test('nothing is not text, and what follows the first bytes is not looked at', () => {
  expect(looksLikeText(new Uint8Array(0))).toBe(false)
  expect(looksLikeText(Uint8Array.from([...ascii('a'.repeat(LOOK_BYTES)), 0, 0xff]))).toBe(true)
})
