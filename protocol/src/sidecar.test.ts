import fc from 'fast-check'
import { expect, it } from 'vitest'
import { manifest } from '../test/arbitraries.js'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { decodeSidecar, encodeSidecar, MAX_SIDECAR_BYTES, sidecarOwner, sidecarUrl } from './sidecar.js'

it('holds manifests as they went in', () => {
  fc.assert(
    fc.property(fc.array(manifest, { maxLength: 4 }), (manifests) => {
      expect(decodeSidecar(encodeSidecar(manifests))).toEqual(manifests)
    }),
    { numRuns: 50 },
  )
})

it('anything else is a DecodeError', () => {
  const [sample] = fc.sample(manifest, { numRuns: 1, seed: 3 })
  if (sample === undefined) throw new Error('no manifest')
  const good = encodeSidecar([sample])
  for (let length = 0; length < good.byteLength; length++) {
    if (length === 16) continue
    expect(decodeErrorCode(() => decodeSidecar(good.subarray(0, length)))).toBe('truncated')
  }
  const page = new TextEncoder().encode('<!doctype html><title>Not found</title>')
  expect(decodeErrorCode(() => decodeSidecar(page))).toBe('bad-value')
  expect(decodeErrorCode(() => decodeSidecar(new Uint8Array(MAX_SIDECAR_BYTES + 1)))).toBe('too-large')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (junk) => {
      const bytes = Uint8Array.from([...good.subarray(0, 16), ...junk])
      if (junk.length > 0) expect(decodeErrorCode(() => decodeSidecar(bytes))).not.toBeNull()
    }),
  )
})

it.each([
  ['https://cdn.example/a/1.ts', 'https://cdn.example/a/1.ts.shoal'],
  ['https://cdn.example/1.m4s?token=a/b.ts', 'https://cdn.example/1.m4s.shoal?token=a/b.ts'],
  ['https://cdn.example/1.ts#part', 'https://cdn.example/1.ts.shoal'],
  ['seg 1.ts', 'seg 1.ts.shoal'],
])('%s has it at %s', (url, sidecar) => {
  expect(sidecarUrl(url)).toBe(sidecar)
  expect(sidecarOwner(sidecar)).toBe(url.replace(/#.*/, ''))
  expect(sidecarOwner(url)).toBeNull()
})
