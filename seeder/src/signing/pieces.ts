import { webcrypto } from 'node:crypto'

/** SHA-256 off the main thread, so that hashing does not hold up what is being sent. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/** SHA-256 of each piece of `pieceSize` bytes, the last one shorter. */
export async function hashPieces(bytes: Uint8Array, pieceSize: number): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let start = 0; start < bytes.byteLength; start += pieceSize) {
    hashes.push(await sha256(bytes.subarray(start, start + pieceSize)))
  }
  return hashes
}

export function sameHashes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, i) => sameBytes(hash, b[i]))
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
}
