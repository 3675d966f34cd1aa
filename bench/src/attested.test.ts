import {
  type CryptoPort,
  createSwarm,
  type OpenTrackerSocket,
  type OriginFetcher,
  type Swarm,
} from '@shoal/core'
import { seededRandom } from '@shoal/core/testing'
import {
  attestationBytes,
  base64urlOf,
  listDigestOf,
  makePeerId,
  millis,
  type PeerId,
  swarmIdFromBytes,
  trackIdOf,
} from '@shoal/protocol'
// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { afterEach, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { nodeClock } from '../../seeder/dist/host/node-clock.js'
import { createNodeLinkFactory } from '../../seeder/dist/links/index.js'
import { verifies } from '../../seeder/dist/signing/keys.js'
import { sha256 } from '../../seeder/dist/signing/pieces.js'
import { createTracker, type RunningTracker } from '../../tracker/dist/index.js'

const SWARM = swarmIdFromBytes(new Uint8Array(32).fill(8))
const SEGMENTS = 6
const SEGMENT_BYTES = 200_000
const LATER_MS = 30_000

const links = createNodeLinkFactory({ bindAddress: '127.0.0.1' })
const swarms: Swarm[] = []
let tracker: RunningTracker

afterEach(async () => {
  for (const swarm of swarms) swarm.close()
  await links.shutdown()
  await tracker.close()
})

/** The test is the tracker's proxy: the header says which network a viewer is in. */
function socketFrom(address: string): OpenTrackerSocket {
  return (url, events) => {
    const socket = new WebSocket(url, { headers: { 'x-forwarded-for': address } })
    socket.on('open', () => events.onOpen())
    socket.on('message', (data) => events.onMessage(data.toString()))
    socket.on('error', () => undefined)
    socket.on('close', (code) => events.onClose(`code ${code}`))
    return {
      send: (text) => {
        if (socket.readyState !== WebSocket.OPEN) return false
        socket.send(text)
        return true
      },
      close: () => socket.close(),
    }
  }
}

/** Trusts what the attestor that the tracker names has signed, and nothing else. */
function trustingAttestor(): CryptoPort {
  let key: string | null = null
  return {
    sha256,
    vouch: async (_keys, attestor) => {
      key = attestor === null ? null : base64urlOf(attestor.bytes)
      return false
    },
    verifyManifest: async (swarmId, manifest) => {
      const { signature } = manifest
      if (signature === null) return 'unsigned'
      const bytes = attestationBytes(SWARM.infoHash, await listDigestOf(swarmId, manifest, sha256))
      return key !== null && verifies(key, bytes, signature.bytes) ? 'trusted' : 'untrusted'
    },
  }
}

interface Viewer {
  readonly id: PeerId
  readonly swarm: Swarm
  /** Segments that its origin was asked for. */
  readonly loaded: Set<number>
  readonly lies: boolean
}

function join(number: number, address: string, lies = false): Viewer {
  const random = seededRandom(number)
  const id = makePeerId('-SH0100-', random)
  const swarm = createSwarm(
    {
      swarmId: SWARM,
      peerId: id,
      role: 'viewer',
      trackers: [tracker.url.replace(/^http/, 'ws')],
      uploads: true,
      maxLinks: 12,
      memoryBytes: 64 * 1024 * 1024,
      uploadBytesPerSecond: Number.POSITIVE_INFINITY,
      integrity: 'attested',
    },
    {
      clock: nodeClock,
      random,
      crypto: trustingAttestor(),
      links,
      openSocket: socketFrom(address),
      pieces: null,
    },
  )
  swarms.push(swarm)
  return { id, swarm, loaded: new Set(), lies }
}

/** What the origin serves; another content for `lies`. */
function contentOf(sequence: number, lies = false): Uint8Array {
  return new Uint8Array(SEGMENT_BYTES).fill(sequence + (lies ? 101 : 1))
}

function load({ swarm, loaded, lies }: Viewer, sequence: number, inMs: number): Promise<Uint8Array> {
  const origin: OriginFetcher = {
    fetch: (span, events) => {
      const { start, end } = span ?? { start: 0, end: SEGMENT_BYTES }
      loaded.add(sequence)
      setImmediate(() => {
        events.onResponse(SEGMENT_BYTES)
        events.onData(start, contentOf(sequence, lies).slice(start, end))
        events.onDone()
      })
      return () => undefined
    },
  }
  const wanted = {
    segment: { track: trackIdOf('main|single'), sequence, part: null },
    range: null,
    deadline: millis(nodeClock.now() + inMs),
    duration: millis(4_000),
    live: false,
  }
  return new Promise((resolve, reject) => {
    swarm.fetch(wanted, origin, {
      onProgress: () => undefined,
      onDone: ({ bytes }) => resolve(bytes),
      onError: (error) => reject(new Error(error.message)),
    })
  })
}

/** Of the tracker; NaN where it has none of this name. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${tracker.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`shoal_tracker_${name} `))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

const verdicts = (kind: string) => metric(`integrity_verdicts_total{kind="${kind}"}`)

test('what networks loaded alike comes from peers; what one made up is attested by nobody', async () => {
  tracker = await createTracker({
    host: '127.0.0.1',
    port: 0,
    admission: { exempt: [], trustedProxies: ['127.0.0.1'] },
  })
  const sequences = Array.from({ length: SEGMENTS }, (_, at) => at)
  const liars = [join(1, '192.0.2.1', true), join(2, '192.0.2.2', true)]
  const loaders = [join(3, '198.51.100.1'), join(4, '203.0.113.1'), join(5, '10.5.0.1')]
  const others = [6, 7].map((number) => join(number, `10.${number}.0.1`))
  const all = [...liars, ...loaders, ...others]
  const connected = () => Math.min(...all.map(({ swarm }) => swarm.snapshot().links.length))
  await vi.waitFor(() => expect(connected()).toBeGreaterThanOrEqual(all.length - liars.length), 15_000)
  const loadAll = async (viewers: readonly Viewer[]) => {
    for (const sequence of sequences) await Promise.all(viewers.map((viewer) => load(viewer, sequence, 0)))
  }

  // The liars have everything first. They are two, in one network, and have one voice.
  await loadAll(liars)
  await vi.waitFor(async () => expect(await metric('compared_segments')).toBe(SEGMENTS), 10_000)
  await loadAll(loaders.slice(0, 1))
  await vi.waitFor(async () => expect(await verdicts('disputed')).toBe(SEGMENTS), 10_000)
  expect(await verdicts('attested')).toBe(0)
  // Three against one: more than twice as many.
  await loadAll(loaders.slice(1))
  await vi.waitFor(async () => expect(await verdicts('attested')).toBe(SEGMENTS), 15_000)

  for (const sequence of sequences) {
    const wanted = Buffer.from(contentOf(sequence))
    const played = await Promise.all(others.map((viewer) => load(viewer, sequence, LATER_MS)))
    expect(played.map((bytes) => wanted.equals(bytes))).toEqual(others.map(() => true))
  }
  const asked = others.reduce((sum, { loaded }) => sum + loaded.size, 0)
  // Word of the first signature may not have come round when its segment is wanted.
  expect(asked).toBeLessThanOrEqual(others.length)
  for (const { swarm } of [...loaders, ...others]) {
    const { corruptPieces, links: neighbours } = swarm.snapshot()
    expect(corruptPieces).toBe(0)
    const received = neighbours.filter(({ peerId }) => liars.some(({ id }) => id === peerId))
    expect(received.map(({ receivedBytes }) => receivedBytes)).toEqual(received.map(() => 0))
  }
}, 60_000)
