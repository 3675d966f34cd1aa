/**
 * Fills a folder on a disk that takes less than is given to it, frees room, and says as one line of JSON
 * what became of it.
 *
 * node full-disk-child.mjs FOLDER
 */
import { statfsSync } from 'node:fs'
import { VirtualClock } from '@shoal/core/testing'
import { pieceSizeFor } from '@shoal/protocol'
import { hashPieces } from '../../dist/signing/pieces.js'
import { DiskStore } from '../../dist/store/disk-store.js'
import { MemoryStore } from '../../dist/store/memory-store.js'
import { SpillStore } from '../../dist/store/spill-store.js'

const [, , folder] = process.argv
const LARGE = 400_000
const SMALL = 50_000

const lines = []
const say = ({ error }, message) => lines.push(error === undefined ? message : `${message}: ${error}`)
const clock = new VirtualClock()
const open = () => new DiskStore(folder, 1e9, () => undefined)
const disk = open()
const store = new SpillStore(disk, new MemoryStore(1e7, () => undefined), clock, {
  debug: say,
  info: say,
  warn: say,
  error: say,
})

async function put(sequence, size) {
  const bytes = new Uint8Array(size).fill(sequence)
  const pieceSize = pieceSizeFor(size)
  const hashes = await hashPieces(bytes, pieceSize)
  const segment = { track: 1, sequence, part: null }
  const manifest = { segment, offset: 0, size, pieceSize, hashes, signature: null }
  const source = { url: 'http://origin.test/a', range: null }
  const stored = await store.put(`k${sequence}`, source, bytes, manifest)
  const read = await stored.read(0, size)
  return { onDisk: disk.has(`k${sequence}`), right: read !== null && Buffer.from(bytes).equals(read) }
}

const puts = [await put(1, SMALL)]
for (let sequence = 2; sequence <= 6; sequence++) puts.push(await put(sequence, LARGE))
for (let sequence = 1; sequence <= 6; sequence++) store.remove(`k${sequence}`)
clock.advance(31_000)
const again = await put(7, SMALL)
await store.close()
const reopened = open()
const recovered = await (await reopened.recover('k7'))?.stored.read(0, SMALL)
const { blocks, bsize } = statfsSync(folder)
process.stdout.write(
  JSON.stringify({
    puts,
    again,
    recovered: recovered != null && Buffer.alloc(SMALL, 7).equals(recovered),
    lines,
    diskBytes: blocks * bsize,
  }),
)
