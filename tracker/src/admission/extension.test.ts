import { describe, expect, it } from 'vitest'
import { id } from '../testing/messages.js'
import { ExtensionError } from '../wire/extension-error.js'
import { readExtension } from '../wire/shoal-extension.js'

const read = (fields: object) => readExtension({ v: 1, role: 'viewer', ...fields })

describe("what an announce's extension says for admission", () => {
  it('is read', () => {
    const fields = { token: 'a.b.c', accuse: [id('p')], http: 'https://a.example/main.m3u8' }
    expect(read(fields)).toMatchObject(fields)
    expect(read({ token: null, accuse: null, http: null })).toEqual({ v: 1, role: 'viewer' })
  })

  it.each([
    ['shoal.token: ', { token: 5 }],
    ['shoal.token: ', { token: 'x'.repeat(2049) }],
    ['shoal.accuse: ', { accuse: id('p') }],
    ['shoal.accuse: ', { accuse: ['short'] }],
    ['shoal.accuse: ', { accuse: Array.from({ length: 5 }, () => id('p')) }],
    ['shoal.http: ', { http: 'javascript:alert(1)' }],
    ['shoal.http: ', { http: `https://a.example/${'x'.repeat(512)}` }],
    ['shoal.http: ', { http: {} }],
  ])('names %s when it is out of form', (key, fields) => {
    expect(() => read(fields)).toThrow(ExtensionError)
    expect(() => read(fields)).toThrow(key)
  })
})
