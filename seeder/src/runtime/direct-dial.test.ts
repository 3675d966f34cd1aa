import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerLink } from '@shoal/core'
import { decodeMessage, encodeMessage, makePeerId, type PeerId, type PeerMessage } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { cryptoRandom } from '../host/node-clock.js'
import { type RunningSeeder, startSeeder } from '../index.js'
import { createNodeLinkFactory } from '../links/index.js'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import type { SeederOptions } from './options.js'

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

async function start(options: Partial<SeederOptions> = {}): Promise<RunningSeeder> {
  const address = tracker.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return await startSeeder({
    source: origin.url('/v.m3u8'),
    trackers: [`ws://127.0.0.1:${port}`],
    cache: { folder },
    direct: { port: 0 },
    webrtc: { bindAddress: '127.0.0.1' },
    ...options,
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

test('without a tracker, a seeder that wants tokens hears whom its keys let in, and says why not to others', async () => {
  const secret = 'correct horse battery staple, and more'
  const secretsFile = join(folder, 'secrets')
  writeFileSync(secretsFile, secret)
  seeder = await start({ trackers: [], tokens: { secretsFile } })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const tokenWith = (key: string) => {
    const claims = { info_hash: seeder.infoHash, exp: Date.now() / 1000 + 60 }
    const signed = `${part({ alg: 'HS256' })}.${part(claims)}`
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
  }
  expect(await converse(seeder, tokenWith(secret))).toMatchObject({ type: 'hello', role: 'seeder' })
  expect(await converse(seeder, tokenWith(`${secret}!`))).toMatchObject({ reason: 'token-invalid' })
  expect(await converse(seeder, '')).toMatchObject({ reason: 'token-required' })
})

/** Dials, shows a token when it is asked for one, and tells what it is answered. */
function converse({ direct }: RunningSeeder, token: string): Promise<PeerMessage> {
  if (direct === null) throw new Error('nothing to dial')
  return new Promise((resolve, reject) => {
    let asked = false
    const link: PeerLink = links.dial(direct, makePeerId('-SH0100-', cryptoRandom()), {
      onSignal: () => reject(new Error('a signal')),
      onOpen: () => undefined,
      onMessage: (channel, bytes) => {
        const message = decodeMessage(bytes, channel)
        if (!asked && message.type === 'token' && message.token === '') {
          asked = true
          link.send('control', encodeMessage({ ...message, token }))
        } else if (asked) {
          resolve(message)
          link.close()
        } else {
          reject(new Error(`${message.type} before a token was asked for`))
        }
      },
      onDrain: () => undefined,
      onClose: (reason) => reject(new Error(reason)),
    })
  })
}
