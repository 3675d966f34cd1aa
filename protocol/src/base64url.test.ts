import fc from 'fast-check'
import { expect, it } from 'vitest'
import { base64urlOf, bytesOfBase64url } from './base64url.js'

it('writes what Node writes, and reads it again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = base64urlOf(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(bytesOfBase64url(text)).toEqual(bytes)
    }),
  )
})

it('takes one text for the same bytes', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.stringMatching(/^[\w-]{0,12}$/),
    fc.base64String({ maxLength: 12 }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = bytesOfBase64url(text)
      if (bytes !== null) expect(base64urlOf(bytes)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

it.each(['A', 'AB', 'AAAAA', 'AA==', 'A+AA', 'A/AA', 'AA A', 'AAAé', '\ud800AAA'])('refuses %j', (text) => {
  expect(bytesOfBase64url(text)).toBeNull()
})
