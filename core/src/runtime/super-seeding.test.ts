import { millis, pieceSizeFor } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { MemoryWorld, toyCrypto, type WorldPeer } from '../testing/index.js'

const VIEWERS = 16
const SEGMENT_BYTES = 500_000
const SEGMENT_MS = 4_000
const BYTES_PER_SECOND = (SEGMENT_BYTES * 1000) / SEGMENT_MS
/** Two target durations, as a player that keeps three behind the edge. */
const PLAYED_AFTER_MS = 2 * SEGMENT_MS
const SEGMENTS = 4
/** The first: its viewers come together. */
const WARM_UP = 1

it('a seeder with little more uplink than one copy feeds a live swarm in time, and HTTP is not needed', async () => {
  const world = new MemoryWorld({ seed: 5, origin: { segmentBytes: SEGMENT_BYTES } })
  const seeder = world.join({
    role: 'seeder',
    maxLinks: 200,
    uploadBytesPerSecond: 1.2 * BYTES_PER_SECOND,
    integrity: 'off',
  })
  const uplink = 2 * BYTES_PER_SECOND
  const viewers = Array.from({ length: VIEWERS }, () =>
    world.join(
      { maxLinks: 16, uploadBytesPerSecond: uplink, integrity: 'off' },
      { uploadBytesPerSecond: uplink },
    ),
  )
  // Viewers have neighbours enough before all are at the seeder: the others get its pieces from those.
  const linked = () => seeder.swarm.snapshot().links.length >= VIEWERS / 2
  await world.clock.runUntilAsync(linked, 120_000)
  expect(linked()).toBe(true)
  const late: string[] = []
  let came = 0
  const http = () => viewers.reduce((sum, { swarm }) => sum + swarm.snapshot().httpBytes, 0)
  let before = { sent: 0, http: 0 }
  for (let sequence = 0; sequence < WARM_UP + SEGMENTS; sequence++) {
    if (sequence === WARM_UP) before = { sent: seeder.swarm.snapshot().uploadedBytes, http: http() }
    const publishedAt = world.clock.now()
    await publish(world, seeder, sequence)
    for (const [index, viewer] of viewers.entries()) {
      // Each hears of it when it loads its playlist.
      world.clock.setTimer(millis(100 + (index * SEGMENT_MS) / (2 * VIEWERS)), () => {
        const left = publishedAt + PLAYED_AFTER_MS - world.clock.now()
        void world.want(viewer, sequence, left, true).then(({ type }) => {
          came++
          const inTime = type === 'done' && world.clock.now() - publishedAt <= PLAYED_AFTER_MS
          if (!inTime) late.push(`viewer ${index}, segment ${sequence}`)
        })
      })
    }
    await world.clock.advanceAsync(SEGMENT_MS)
  }
  await world.clock.advanceAsync(PLAYED_AFTER_MS - SEGMENT_MS)
  expect(came).toBe(VIEWERS * (WARM_UP + SEGMENTS))
  expect(late).toEqual([])
  const whole = SEGMENTS * SEGMENT_BYTES
  expect((seeder.swarm.snapshot().uploadedBytes - before.sent) / whole).toBeLessThanOrEqual(1.3)
  expect((http() - before.http) / whole).toBeLessThan(0.1)
}, 60_000)

async function publish(world: MemoryWorld, seeder: WorldPeer, sequence: number): Promise<void> {
  const segment = world.segment(sequence)
  const bytes = world.origin.content(segment)
  const pieceSize = pieceSizeFor(bytes.byteLength)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += pieceSize) {
    hashes.push(await toyCrypto.sha256(bytes.subarray(at, at + pieceSize)))
  }
  const manifest = { segment, offset: 0, size: bytes.byteLength, pieceSize, hashes, signature: null }
  seeder.swarm.publish(manifest, bytes)
}
