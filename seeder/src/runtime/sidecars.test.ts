import { existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeSidecar, encodeSidecar, sidecarUrl, swarmIdOf } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { cryptoRandom, nodeClock } from '../host/node-clock.js'
import { silentLogger } from '../log.js'
import { writeNewKey } from '../signing/keys.js'
import { sha256 } from '../signing/pieces.js'
import { ephemeralSigner, isSignedBy } from '../signing/signer.js'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'
import { type SigningRun, signFolder } from './sign-folder.js'

const CONTENT_ID = 'https://cdn.example/film.m3u8'

let folder: string
let keyFile: string
let publicKey: string
let swarmId: Uint8Array

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-sign-'))
  keyFile = join(folder, 'key.pem')
  publicKey = writeNewKey(keyFile, 'p256')
  swarmId = (await swarmIdOf(CONTENT_ID, sha256)).bytes
})

afterEach(() => rmSync(folder, { recursive: true }))

const put = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content)

function sign(): Promise<SigningRun> {
  const ports = { clock: nodeClock, random: cryptoRandom(), log: silentLogger }
  return signFolder({ folder, contentId: CONTENT_ID, keyFile }, ports)
}

const sidecar = (name: string) => decodeSidecar(Uint8Array.from(readFileSync(join(folder, `${name}.shoal`))))

describe('a folder', () => {
  test('on demand: each file gets a sidecar, byte ranges share theirs', async () => {
    put(
      'index.m3u8',
      mediaText({
        segments: ['a.ts', '#EXT-X-BYTERANGE:20000@0\nb.ts', '#EXT-X-BYTERANGE:10000@20000\nb.ts'],
      }),
    )
    put('a.ts', mediaBytes(40_000, 1))
    put('b.ts', mediaBytes(30_000, 2))
    const run = await sign()
    expect(await run.done).toEqual({ publicKey, signed: 3, failed: 0 })
    const [a, ...others] = sidecar('a.ts')
    expect(others).toEqual([])
    expect(a).toMatchObject({ segment: { sequence: 0, part: null }, offset: 0, size: 40_000 })
    expect(sidecar('b.ts').map(({ offset, size }) => [offset, size])).toEqual([
      [0, 20_000],
      [20_000, 10_000],
    ])
    for (const manifest of [...sidecar('a.ts'), ...sidecar('b.ts')]) {
      expect(isSignedBy([publicKey], swarmId, manifest)).toBe(true)
    }
    expect(existsSync(join(folder, 'a.ts.shoal.new'))).toBe(false)
  })

  test('live: what is added is signed, parts too, and a file that goes takes its sidecar along', async () => {
    const playlist = (sequence: number, ...segments: string[]) => {
      const text = mediaText({ target: 1, sequence, live: true, segments })
      put('index.m3u8', text.replace('#EXT-X-VERSION:4', '#EXT-X-VERSION:9\n#EXT-X-PART-INF:PART-TARGET=0.5'))
    }
    put('0.ts', mediaBytes(20_000, 1))
    put('1.ts', mediaBytes(20_000, 2))
    put('2.part', mediaBytes(5_000, 2))
    playlist(0, '0.ts')
    const run = await sign()
    await vi.waitFor(() => sidecar('0.ts'), { timeout: 5000 })
    put('2.ts', mediaBytes(20_000, 3))
    playlist(1, '1.ts', '#EXT-X-PART:DURATION=0.3,URI="2.part"\n2.ts')
    unlinkSync(join(folder, '0.ts'))
    await vi.waitFor(() => expect(sidecar('2.ts')).toHaveLength(1), { timeout: 5000 })
    await vi.waitFor(() => expect(existsSync(join(folder, '0.ts.shoal'))).toBe(false), { timeout: 10_000 })
    expect(sidecar('1.ts')).toHaveLength(1)
    expect(sidecar('2.part')[0]?.segment).toMatchObject({ sequence: 2, part: 0 })
    run.stop()
    expect(await run.done).toMatchObject({ failed: 0 })
  }, 20_000)

  test('a segment that is not there is said to be unsigned', async () => {
    put('index.m3u8', mediaText({ segments: ['a.ts', 'gone.ts'] }))
    put('a.ts', mediaBytes(1_000, 1))
    expect(await (await sign()).done).toMatchObject({ signed: 1, failed: 1 })
  })
})

describe('a seeder of an origin with sidecars', () => {
  let origin: TestOrigin
  let seeder: TestSeeder | null = null

  beforeEach(async () => {
    origin = await TestOrigin.start()
    put('index.m3u8', mediaText({ segments: ['a.ts', 'b.ts'] }))
    put('a.ts', mediaBytes(40_000, 1))
    put('b.ts', mediaBytes(30_000, 2))
    await (await sign()).done
    for (const name of ['index.m3u8', 'a.ts', 'b.ts', 'a.ts.shoal', 'b.ts.shoal']) {
      origin.put(`/${name}`, readFileSync(join(folder, name)))
    }
  })

  afterEach(async () => {
    await seeder?.seeder.close()
    await origin.stop()
  })

  const start = async (signedBy: readonly string[]) => {
    seeder = await startTestSeeder({
      source: origin.url('/index.m3u8?token=1'),
      contentId: CONTENT_ID,
      signedBy,
    })
    return seeder
  }

  test("passes on the publisher's manifests, and tells the tracker the publisher's key", async () => {
    const { manifestOf, bytesOf, swarm } = await start([publicKey])
    await vi.waitFor(() => expect(manifestOf('main|single', 1)).toBeDefined(), { timeout: 5000 })
    const manifest = manifestOf('main|single', 0)
    expect(manifest).toEqual(sidecar('a.ts')[0])
    expect(await bytesOf('main|single', 0)).toEqual(mediaBytes(40_000, 1))
    expect(swarm.options.keys).toEqual([publicKey])
    expect(seeder?.seeder.publicKey).toBe(publicKey)
    expect(await swarm.ports.crypto.verifyManifest(swarmId, manifest ?? failed())).toBe('trusted')
  })

  test.each<[string, () => void]>([
    ['that is not there', () => origin.files.delete('/b.ts.shoal')],
    ['that is a page', () => origin.put('/b.ts.shoal', '<!doctype html>')],
    ['of another key', () => origin.put('/b.ts.shoal', encodeSidecar([resigned(swarmId)]))],
    ['of another title', () => origin.put('/b.ts.shoal', encodeSidecar([resigned(new Uint8Array(32))]))],
    ['of another segment', () => origin.put('/b.ts.shoal', readFileSync(join(folder, 'a.ts.shoal')))],
    ['of other bytes', () => origin.put('/b.ts', mediaBytes(30_000, 3))],
  ])('leaves out what has a sidecar %s', async (_, spoil) => {
    spoil()
    const { manifestOf, swarm } = await start([publicKey])
    await vi.waitFor(() => expect(manifestOf('main|single', 0)).toBeDefined(), { timeout: 5000 })
    const asked = () => origin.seen.filter(({ path }) => path.startsWith('/b.ts.shoal')).length
    // It is tried again, since a live sidecar may come later than its segment.
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(1), { timeout: 10_000 })
    expect(manifestOf('main|single', 1)).toBeUndefined()
    expect(swarm.published.size).toBe(1)
  })

  test('keys that are none, and a key of its own besides, are wrong use', async () => {
    await expect(start(['x'])).rejects.toThrow(/--signed-by: not up to 4 public keys/)
    const both = { source: origin.url('/index.m3u8'), contentId: CONTENT_ID, signedBy: [publicKey], keyFile }
    await expect(startTestSeeder(both)).rejects.toThrow(/--signed-by and --key cannot both be given/)
  })

  test('one that comes later is found', async () => {
    const late = origin.files.get('/b.ts.shoal')
    origin.files.delete('/b.ts.shoal')
    const { manifestOf } = await start([publicKey])
    await vi.waitFor(() => expect(origin.seen.some(({ status }) => status === 404)).toBe(true))
    origin.put('/b.ts.shoal', late ?? failed())
    await vi.waitFor(() => expect(manifestOf('main|single', 1)).toBeDefined(), { timeout: 10_000 })
    expect(sidecarUrl(origin.url('/b.ts?token=1'))).toBe(origin.url('/b.ts.shoal?token=1'))
  })

  /** The right list of hashes, signed by a stranger. */
  function resigned(swarm: Uint8Array) {
    const [manifest = failed()] = sidecar('b.ts')
    return ephemeralSigner().sign(swarm, { ...manifest, signature: null })
  }
})

function failed(): never {
  throw new Error('it is not there')
}
