import { encodeSidecar, type SegmentId, type SegmentManifest, trackIdOf } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Sidecars } from './sidecars.js'

const URL_A = 'https://cdn.example/a.ts?token=1'
const idOf = (sequence: number): SegmentId => ({ track: trackIdOf('720p'), sequence, part: null })

function manifestOf(sequence: number): SegmentManifest {
  return {
    segment: idOf(sequence),
    offset: 0,
    size: 1_000,
    pieceSize: 65_536,
    hashes: [new Uint8Array(32).fill(sequence)],
    signature: { algorithm: 'ed25519', bytes: new Uint8Array(64).fill(sequence) },
  }
}

/** What is at a URL, or how the network fails. */
let served: (url: string) => Response | Promise<Response>
let asked: string[]
let bytes: number
let sidecars: Sidecars

const body = (content: Uint8Array | string) => new Response(content as BodyInit)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  asked = []
  bytes = 0
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    return served(url)
  })
  sidecars = new Sidecars((count) => {
    bytes += count
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** What is found, second try and all. */
async function find(url: string, sequence: number): Promise<SegmentManifest | null> {
  const found = sidecars.find(url, idOf(sequence))
  await vi.advanceTimersByTimeAsync(2_000)
  return found
}

test('the segment’s own manifest is found among those of its resource, which is loaded once', async () => {
  const sidecar = encodeSidecar([manifestOf(1), manifestOf(2)])
  served = () => body(sidecar)
  expect(await find(URL_A, 2)).toEqual(manifestOf(2))
  expect(await find(URL_A, 1)).toEqual(manifestOf(1))
  expect(await find(URL_A, 3)).toBeNull()
  expect(asked).toEqual(['https://cdn.example/a.ts.shoal?token=1'])
  expect(bytes).toBe(sidecar.byteLength)
  // A live resource grows.
  await vi.advanceTimersByTimeAsync(10_000)
  await find(URL_A, 3)
  expect(asked).toHaveLength(2)
})

test('a signer that is a moment late is asked once more', async () => {
  served = () =>
    asked.length === 1 ? new Response(null, { status: 404 }) : body(encodeSidecar([manifestOf(1)]))
  expect(await find(URL_A, 1)).toEqual(manifestOf(1))
  expect(asked).toHaveLength(2)
})

test.each([
  ['that are not there', () => new Response(null, { status: 404 })],
  ['that are pages', () => body('<!doctype html>')],
  ['that are too large', () => body(new Uint8Array(1024 * 1024 + 1))],
])('sidecars %s are not looked for any more after four', async (_name, answer) => {
  served = answer
  for (let i = 0; i < 8; i++) expect(await find(`https://cdn.example/${i}.ts`, i)).toBeNull()
  expect(asked).toHaveLength(2 * 4)
})

test('a network that fails says nothing of what is there', async () => {
  served = () => Promise.reject(new TypeError('offline'))
  for (let i = 0; i < 8; i++) expect(await find(`https://cdn.example/${i}.ts`, i)).toBeNull()
  expect(asked).toHaveLength(8)
})

test('two are loaded at once; whoever comes then goes without', async () => {
  served = async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    return body(encodeSidecar([manifestOf(0), manifestOf(1), manifestOf(2)]))
  }
  const all = [0, 1, 2].map((i) => sidecars.find(`https://cdn.example/${i}.ts`, idOf(i)))
  expect(await all[2]).toBeNull()
  await vi.advanceTimersByTimeAsync(500)
  expect(await Promise.all(all)).toEqual([manifestOf(0), manifestOf(1), null])
})
