import { expect, test } from 'vitest'
import { shortErrors, withoutDetails } from '../vite-short-errors.js'

const SOURCE = `
if (a) throw new DecodeError('bad-value', \`\${f(b, c)} is (not)\`)
const e = new DecodeError(x ? 'empty' : 'truncated',
  'two lines'), g = new Error('bad', 'kept')
throw new DecodeError('bad-json')
`

test('only details of decode errors go, and no line', () => {
  expect(withoutDetails(SOURCE)).toBe(`
if (a) throw new DecodeError('bad-value')
const e = new DecodeError(x ? 'empty' : 'truncated'
), g = new Error('bad', 'kept')
throw new DecodeError('bad-json')
`)
})

test('what a site wrote is described in full, and other packages are left alone', () => {
  const { transform } = shortErrors()
  expect(transform(SOURCE, '/shoal/protocol/dist/decode.js')?.code).toBe(withoutDetails(SOURCE))
  expect(transform(SOURCE, '/shoal/protocol/dist/dial-address.js')).toBeNull()
  expect(transform(SOURCE, '/shoal/core/dist/decode.js')).toBeNull()
})
