import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import type { ManifestJson, MessageJson } from '../test/message-json.js'
import { manifestFromJson, messageFromJson, messageToJson } from '../test/message-json.js'
import { fromHex, readVectors, toHex } from '../test/vectors.js'
import { decodeManifest, decodeMessage } from './decode.js'
import { encodeMessage, manifestBytes, signedManifestBytes } from './encode.js'
import type { DecodeErrorCode } from './errors.js'
import { contentIdOfUrl, hexOf, swarmIdOf, trackIdOf } from './ids.js'
import type { ChannelKind } from './messages.js'

interface MessageVector {
  readonly name: string
  readonly channel: ChannelKind
  readonly message: MessageJson
  readonly hex: string
}

const TYPES = [
  'hello',
  'goodbye',
  'token',
  'manifest-request',
  'manifest',
  'hashes',
  'have',
  'request',
  'cancel',
  'data',
]

describe.each(TYPES)('%s', (type) => {
  it.each(readVectors<MessageVector[]>(type))('$name', ({ channel, message, hex }) => {
    expect(message.type).toBe(type)
    expect(toHex(encodeMessage(messageFromJson(message)))).toBe(hex)
    expect(messageToJson(decodeMessage(fromHex(hex), channel))).toEqual(message)
  })
})

describe('rejected', () => {
  interface Rejected {
    readonly name: string
    readonly channel: ChannelKind
    readonly hex: string
    readonly code: DecodeErrorCode
  }
  it.each(readVectors<Rejected[]>('rejected'))('$name: $code', ({ channel, hex, code }) => {
    expect(decodeErrorCode(() => decodeMessage(fromHex(hex), channel))).toBe(code)
  })
})

describe('ids', () => {
  interface Ids {
    readonly contentIds: readonly { readonly url: string; readonly contentId: string }[]
    readonly swarms: readonly {
      readonly contentId: string
      readonly swarmId: string
      readonly infoHash: string
      readonly tag: number
    }[]
    readonly tracks: readonly { readonly identity: string; readonly trackId: number }[]
  }
  const ids = readVectors<Ids>('ids')
  const sha256 = async (bytes: Uint8Array) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)))

  it.each(ids.contentIds)('content id of $url', ({ url, contentId }) => {
    expect(contentIdOfUrl(url)).toBe(contentId)
  })
  it.each(ids.swarms)('swarm "$contentId"', async ({ contentId, swarmId, infoHash, tag }) => {
    const id = await swarmIdOf(contentId, sha256)
    expect([toHex(id.bytes), hexOf(id.infoHash), id.tag]).toEqual([swarmId, infoHash, tag])
  })
  it.each(ids.tracks)('track "$identity"', ({ identity, trackId }) => {
    expect(trackIdOf(identity)).toBe(trackId)
  })
})

describe('signed manifests', () => {
  interface Signed {
    /** Public keys: 32 bytes of RFC 8032, and an uncompressed point. */
    readonly keys: { readonly ed25519: string; readonly p256: string }
    readonly manifests: readonly {
      readonly name: string
      readonly swarmId: string
      readonly manifest: ManifestJson
      readonly signedBytes: string
      readonly signatures: { readonly ed25519: string; readonly p256: string }
    }[]
  }
  const ED25519 = { name: 'Ed25519' }
  const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { keys, manifests } = readVectors<Signed>('signed-manifests')

  it.each(manifests)('$name: the bytes that are signed', ({ swarmId, manifest, signedBytes }) => {
    expect(toHex(signedManifestBytes(fromHex(swarmId), manifestFromJson(manifest)))).toBe(signedBytes)
  })

  for (const [algorithm, parameters] of [
    ['ed25519', ED25519],
    ['p256', P256],
  ] as const) {
    it.each(manifests)(`$name: WebCrypto verifies ${algorithm}`, async (vector) => {
      const key = await crypto.subtle.importKey('raw', fromHex(keys[algorithm]), parameters, false, [
        'verify',
      ])
      const signature = { algorithm, bytes: fromHex(vector.signatures[algorithm]) }
      const signed = { ...manifestFromJson(vector.manifest), signature }
      // As a receiver does it: from the bytes of a stored manifest to the bytes that are signed.
      const covered = signedManifestBytes(fromHex(vector.swarmId), decodeManifest(manifestBytes(signed)))
      const message = Uint8Array.from(covered)
      expect(await crypto.subtle.verify(parameters, key, signature.bytes, message)).toBe(true)
      message[message.length - 1] = (message.at(-1) ?? 0) ^ 1
      expect(await crypto.subtle.verify(parameters, key, signature.bytes, message)).toBe(false)
    })
  }
})
