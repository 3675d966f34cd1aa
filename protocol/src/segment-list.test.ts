import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { segment } from '../test/arbitraries.js'
import { decodeErrorCode } from '../test/decode-outcome.js'
import type { ManifestJson } from '../test/message-json.js'
import { manifestFromJson } from '../test/message-json.js'
import { fromHex, readVectors, toHex } from '../test/vectors.js'
import { base64urlOf } from './base64url.js'
import { segmentKey } from './ids.js'
import { binaryStringOf } from './reader.js'
import {
  attestationBytes,
  isListDigest,
  isSignatureText,
  listDigestOf,
  readSegmentName,
} from './segment-list.js'
import type { InfoHash } from './units.js'

const sha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)))

describe('list digest', () => {
  interface Digest {
    readonly name: string
    readonly swarmId: string
    readonly manifest: ManifestJson
    readonly digest: string
  }
  const vectors = readVectors<Digest[]>('list-digests')

  it.each(vectors)('$name', async ({ swarmId, manifest, digest }) => {
    expect(await listDigestOf(fromHex(swarmId), manifestFromJson(manifest), sha256)).toBe(digest)
    expect(isListDigest(digest)).toBe(true)
  })

  it.each(vectors)('$name: signed or not, one digest; another swarm or place, another', async (vector) => {
    const swarmId = fromHex(vector.swarmId)
    const manifest = manifestFromJson(vector.manifest)
    const digest = await listDigestOf(swarmId, manifest, sha256)
    const signature = { algorithm: 'p256', bytes: new Uint8Array(64) } as const
    expect(await listDigestOf(swarmId, { ...manifest, signature }, sha256)).toBe(digest)
    expect(await listDigestOf(swarmId.toReversed(), manifest, sha256)).not.toBe(digest)
    const moved = { ...manifest, offset: manifest.offset + 1 }
    expect(await listDigestOf(swarmId, moved, sha256)).not.toBe(digest)
  })
})

describe('attestations', () => {
  const infoHash = binaryStringOf(new Uint8Array(20).fill(0xff)) as InfoHash
  it('cover the swarm and the digest', () => {
    const digest = base64urlOf(new Uint8Array(32).fill(7))
    const bytes = attestationBytes(infoHash, digest)
    expect(new TextDecoder('latin1').decode(bytes.subarray(0, 16))).toBe('shoal-attested-1')
    expect(toHex(bytes.subarray(16))).toBe('ff'.repeat(20) + '07'.repeat(32))
  })
  it('are of digests alone', () => {
    expect(decodeErrorCode(() => attestationBytes(infoHash, base64urlOf(new Uint8Array(31))))).toBe(
      'bad-value',
    )
    expect(decodeErrorCode(() => attestationBytes(infoHash, '!'))).toBe('bad-value')
  })
})

it('digests and signatures have one length, and one text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 66 }), (bytes) => {
      const text = base64urlOf(bytes)
      expect(isListDigest(text)).toBe(bytes.byteLength === 32)
      expect(isSignatureText(text)).toBe(bytes.byteLength === 64)
    }),
  )
})

describe('segment names', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(segment, (id) => {
        expect(readSegmentName(segmentKey(id))).toEqual(id)
      }),
    )
  })

  it('that are read are written alike: a segment has one name', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^\d{0,11}:\d{0,16}:\d{0,6}$/))
    fc.assert(
      fc.property(texts, (text) => {
        const id = readSegmentName(text)
        if (id !== null) expect(segmentKey(id)).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })
})
