import { hexOf, type SegmentId } from '../src/ids.js'
import type { PeerMessage, SegmentManifest } from '../src/messages.js'
import { binaryStringOf } from '../src/reader.js'
import type { PeerId } from '../src/units.js'
import { fromHex, toHex } from './vectors.js'

/** A value as the vector files write it: every byte string, the peer id included, is hexadecimal. */
type Jsonified<T> = T extends Uint8Array
  ? string
  : T extends number | string | boolean | null
    ? T
    : { readonly [K in keyof T]: K extends 'peerId' ? string : Jsonified<T[K]> }

export type MessageJson = Jsonified<PeerMessage>
export type ManifestJson = Jsonified<SegmentManifest>

export function manifestFromJson(json: ManifestJson): SegmentManifest {
  const { signature } = json
  return {
    ...json,
    segment: json.segment as SegmentManifest['segment'],
    hashes: json.hashes.map(fromHex),
    signature: signature && { algorithm: signature.algorithm, bytes: fromHex(signature.bytes) },
  }
}

export function manifestToJson(manifest: SegmentManifest): ManifestJson {
  const { signature } = manifest
  return {
    ...manifest,
    hashes: manifest.hashes.map(toHex),
    signature: signature && { algorithm: signature.algorithm, bytes: toHex(signature.bytes) },
  }
}

export function messageFromJson(json: MessageJson): PeerMessage {
  switch (json.type) {
    case 'hello':
      return {
        ...json,
        peerId: binaryStringOf(fromHex(json.peerId)) as PeerId,
        swarmId: fromHex(json.swarmId),
      }
    case 'manifest':
      return { ...json, manifest: manifestFromJson(json.manifest) }
    case 'hashes':
      return { ...json, segment: json.segment as SegmentId, hashes: json.hashes.map(fromHex) }
    case 'data':
      return { ...json, payload: fromHex(json.payload) }
    default:
      return json as PeerMessage
  }
}

export function messageToJson(message: PeerMessage): MessageJson {
  switch (message.type) {
    case 'hello':
      return { ...message, peerId: hexOf(message.peerId), swarmId: toHex(message.swarmId) }
    case 'manifest':
      return { ...message, manifest: manifestToJson(message.manifest) }
    case 'hashes':
      return { ...message, hashes: message.hashes.map(toHex) }
    case 'data':
      return { ...message, payload: toHex(message.payload) }
    default:
      return message
  }
}
