import type { CryptoPort } from '@shoal/core'
import { pieceSizeFor, type SegmentManifest, signedManifestBytes, trackIdOf } from '@shoal/protocol'
import { BrowserCrypto } from '../../player-plugin/dist/browser/crypto-port.js'
import { type Part, SEGMENT_BYTES } from './integrity-parts.js'

const SEGMENTS = 8
/** Pieces that are being hashed at a time: as many as arrive together. */
const AT_ONCE = 4
/** WebCrypto's `getRandomValues` gives so many bytes at most. */
const RANDOM_BYTES = 65_536
const SWARM_ID = new Uint8Array(32).fill(7)

interface Held {
  readonly bytes: Uint8Array
  readonly manifest: SegmentManifest
}

/** The player's own cryptography over WebCrypto, in Node and in a page alike. */
export class IntegrityWork {
  private constructor(
    private readonly subtle: SubtleCrypto,
    private readonly port: CryptoPort,
    private readonly key: CryptoKey,
    private readonly segments: readonly Held[],
  ) {}

  /** Makes a key and segments that are signed with it. */
  static async prepare(webCrypto: Crypto): Promise<IntegrityWork> {
    const { subtle } = webCrypto
    const port = new BrowserCrypto(subtle)
    const pair = (await subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
    const raw = new Uint8Array(await subtle.exportKey('raw', pair.publicKey))
    if (!(await port.setKeys([{ algorithm: 'ed25519', bytes: raw }]))) throw new Error('no Ed25519 here')
    const segments: Held[] = []
    for (let sequence = 0; sequence < SEGMENTS; sequence++) {
      const bytes = new Uint8Array(SEGMENT_BYTES)
      for (let at = 0; at < SEGMENT_BYTES; at += RANDOM_BYTES) {
        webCrypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES))
      }
      segments.push({ bytes, manifest: await signed(subtle, pair.privateKey, port, bytes, sequence) })
    }
    return new IntegrityWork(subtle, port, pair.privateKey, segments)
  }

  /**
   * Does one part for so many segments, as a viewer (or, `sign`, a seeder) does it for each.
   *
   * @throws Error where something is not what it must be
   */
  async run(part: Part, segments: number): Promise<void> {
    for (let i = 0; i < segments; i++) {
      const held = this.segments[i % this.segments.length]
      if (held === undefined) throw new Error('nothing prepared')
      await this.one(part, held)
    }
  }

  private async one(part: Part, { bytes, manifest }: Held): Promise<void> {
    switch (part) {
      case 'verify':
        await this.signature(manifest)
        return await this.hash(bytes, manifest)
      case 'signature':
        return await this.signature(manifest)
      case 'hash':
        return await this.hash(bytes, manifest)
      case 'sign':
        await signed(this.subtle, this.key, this.port, bytes, manifest.segment.sequence)
        return
      case 'copy':
        if (bytes.slice().byteLength !== SEGMENT_BYTES) throw new Error('not copied')
        return
    }
  }

  private async signature(manifest: SegmentManifest): Promise<void> {
    const trust = await this.port.verifyManifest(SWARM_ID, manifest)
    if (trust !== 'trusted') throw new Error(`a signature that is ${trust}`)
  }

  private async hash(bytes: Uint8Array, { hashes, pieceSize }: SegmentManifest): Promise<void> {
    const digests = await hashesOf(this.port, bytes, pieceSize)
    const same = digests.every((digest, i) => digest.every((byte, at) => byte === hashes[i]?.[at]))
    if (!same || digests.length !== hashes.length) throw new Error('a piece that is not the manifest’s')
  }
}

async function hashesOf(port: CryptoPort, bytes: Uint8Array, pieceSize: number): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += AT_ONCE * pieceSize) {
    const starts = Array.from({ length: AT_ONCE }, (_, i) => at + i * pieceSize)
    const within = starts.filter((start) => start < bytes.byteLength)
    hashes.push(
      ...(await Promise.all(within.map((start) => port.sha256(bytes.subarray(start, start + pieceSize))))),
    )
  }
  return hashes
}

async function signed(
  subtle: SubtleCrypto,
  key: CryptoKey,
  port: CryptoPort,
  bytes: Uint8Array,
  sequence: number,
): Promise<SegmentManifest> {
  const pieceSize = pieceSizeFor(bytes.byteLength)
  const manifest: SegmentManifest = {
    segment: { track: trackIdOf('main|single'), sequence, part: null },
    offset: 0,
    size: bytes.byteLength,
    pieceSize,
    hashes: await hashesOf(port, bytes, pieceSize),
    signature: null,
  }
  const said = signedManifestBytes(SWARM_ID, manifest).slice()
  const signature = new Uint8Array(await subtle.sign('Ed25519', key, said))
  return { ...manifest, signature: { algorithm: 'ed25519', bytes: signature } }
}
