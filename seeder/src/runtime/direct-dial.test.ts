import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerLink } from '@shoal/core'
import { makePeerId, type PeerId } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { cryptoRandom } from '../host/node-clock.js'
import { type RunningSeeder, startSeeder } from '../index.js'
import { createNodeLinkFactory } from '../links/index.js'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'

let origin: TestOrigin
let tracker: WebSocketServer
let folder: string
let seeder: RunningSeeder
const links = createNodeLinkFactory({ bindAddress: '127.0.0.1' })

beforeEach(async () => {
  origin = await TestOrigin.start()
  origin.put('/v.m3u8', mediaText({ segments: ['a.ts'] }))
  origin.put('/a.ts', mediaBytes(5_000, 1))
  folder = mkdtempSync(join(tmpdir(), 'shoal-direct-'))
  // It connects and answers nothing: no description passes through it.
  tracker = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => tracker.once('listening', resolve))
})

afterEach(async () => {
  await seeder.close()
  await links.shutdown()
  await origin.stop()
  tracker.close()
  for (const client of tracker.clients) client.terminate()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<RunningSeeder> {
  const address = tracker.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return await startSeeder({
    source: origin.url('/v.m3u8'),
    trackers: [`ws://127.0.0.1:${port}`],
    cache: { folder },
    direct: { port: 0 },
    webrtc: { bindAddress: '127.0.0.1' },
  })
}

/** A viewer that knows no more than `direct`; its first message of the seeder, and the link. */
function dial({ direct }: RunningSeeder, peerId: PeerId): Promise<readonly [Uint8Array, PeerLink]> {
  if (direct === null) throw new Error('nothing to dial')
  return new Promise((resolve, reject) => {
    const link: PeerLink = links.dial(direct, peerId, {
      onSignal: () => reject(new Error('a signal')),
      onOpen: () => undefined,
      onMessage: (_channel, bytes) => resolve([bytes, link]),
      onDrain: () => undefined,
      onClose: (reason) => reject(new Error(reason)),
    })
  })
}

test('a peer that dials is a peer of the swarm, and finds the same certificate after a restart', async () => {
  seeder = await start()
  await vi.waitFor(() => expect(seeder.snapshot().tracker).toBe('connected'), { timeout: 10_000 })
  const [hello, link] = await dial(seeder, makePeerId('-SH0100-', cryptoRandom()))
  // A Hello names the swarm: it is the engine that speaks.
  expect(Buffer.from(hello).includes(Buffer.from(seeder.infoHash, 'hex').subarray(0, 4))).toBe(true)
  link.close()
  const { direct } = seeder
  await seeder.close()
  seeder = await start()
  expect(seeder.direct?.fingerprint).toBe(direct?.fingerprint)
  expect(seeder.direct?.port).toBeGreaterThan(0)
})
