/**
 * Writes segments into a cache folder until it is killed, four at a time, and says each that is stored.
 *
 * node crash-child.mjs FOLDER FIRST
 */
import { pieceSizeFor } from '@shoal/protocol'
import { hashPieces } from '../../dist/signing/pieces.js'
import { DiskStore } from '../../dist/store/disk-store.js'

const [, , folder, first] = process.argv
const SIZE = 400_000

const store = new DiskStore(folder, 1e9, () => undefined)
let next = Number(first)

async function writeOn() {
  for (;;) {
    const sequence = next++
    const bytes = new Uint8Array(SIZE).fill(sequence % 251)
    const pieceSize = pieceSizeFor(SIZE)
    const segment = { track: 1, sequence, part: null }
    const hashes = await hashPieces(bytes, pieceSize)
    const manifest = { segment, offset: 0, size: SIZE, pieceSize, hashes, signature: null }
    await store.put(`k${sequence}`, { url: 'http://origin.test/a', range: null }, bytes, manifest)
    process.stdout.write(`${sequence}\n`)
  }
}

for (let i = 0; i < 4; i++) void writeOn()
