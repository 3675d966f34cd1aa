import {
  type DialAddress,
  dialPeerId,
  type PeerId,
  pieceSizeFor,
  type SegmentManifest,
  type TokenFault,
} from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { MemoryWorld, toyCrypto, type WorldPeer } from '../testing/index.js'
import type { SwarmOptions } from './swarm-api.js'
import { TokenDoor } from './token-door.js'

const SECOND = 1_000
const DIAL: DialAddress = { host: '203.0.113.1', port: 4_000, fingerprint: Array(32).fill('AB').join(':') }

async function manifestOf(world: MemoryWorld): Promise<SegmentManifest> {
  const segment = world.segment(7)
  const bytes = world.origin.content(segment)
  const pieceSize = pieceSizeFor(bytes.byteLength)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += pieceSize) {
    hashes.push(await toyCrypto.sha256(bytes.subarray(at, at + pieceSize)))
  }
  return { segment, offset: 0, size: bytes.byteLength, pieceSize, hashes, signature: null }
}

/** A seeder that wants the token `good`, and what it was shown. */
function guarded(world: MemoryWorld, shown: [string, PeerId][], dialled = true): WorldPeer {
  const admit = (token: string, peer: PeerId): TokenFault | null => {
    shown.push([token, peer])
    if (token === 'good') return null
    return token === 'old' ? 'token-expired' : 'token-invalid'
  }
  const options: Partial<SwarmOptions> = { role: 'seeder', peerId: dialPeerId(DIAL) }
  return world.join(
    dialled ? { ...options, dial: DIAL } : options,
    {},
    { ports: { door: (ports) => new TokenDoor(admit, ports) } },
  )
}

const linksOf = ({ swarm }: WorldPeer) => swarm.snapshot().links.length

describe.each([
  ['dialled', { trackers: [], seeders: [DIAL] }],
  ['introduced by a tracker', {}],
])('a seeder that wants tokens, %s,', (_name, options: Partial<SwarmOptions>) => {
  async function meet(token: SwarmOptions['token'], seconds = 5) {
    const world = new MemoryWorld()
    const shown: [string, PeerId][] = []
    const seeder = guarded(world, shown, options.seeders !== undefined)
    const viewer = world.join({ ...options, ...(token === undefined ? {} : { token }) })
    await world.clock.advanceAsync(seconds * SECOND)
    return { world, shown, seeder, viewer }
  }

  it('serves who shows a good one, once', async () => {
    const { world, shown, seeder, viewer } = await meet('good')
    expect([linksOf(viewer), linksOf(seeder), shown.length]).toEqual([1, 1, 1])
    expect(shown[0]?.[0]).toBe('good')
    seeder.swarm.publish(await manifestOf(world), world.origin.content(world.segment(7)))
    await world.clock.advanceAsync(SECOND)
    const outcome = await world.settle(world.want(viewer, 7, 20 * SECOND))
    expect(outcome).toMatchObject({ type: 'done', result: { sources: { seeders: 500_000 } } })
  })

  it.each([
    ['token-required', undefined],
    ['token-required', 'not printable: é'],
    ['token-invalid', 'wrong'],
    ['token-expired', 'old'],
  ])('refuses with %s who shows %s', async (code, token) => {
    const { world, seeder, viewer } = await meet(token)
    expect([linksOf(viewer), linksOf(seeder)]).toEqual([0, 0])
    expect(viewer.swarm.snapshot()).toMatchObject({ refusal: code, degraded: 'refused' })
    seeder.swarm.publish(await manifestOf(world), world.origin.content(world.segment(7)))
    const outcome = await world.settle(world.want(viewer, 7, 5 * SECOND))
    expect(outcome).toMatchObject({ type: 'done', result: { sources: { http: 500_000, seeders: 0 } } })
  })

  it('is shown another one after it refused the first', async () => {
    const tokens = ['old', 'good']
    const { viewer, shown } = await meet(async () => tokens.shift() ?? 'wrong', 200)
    expect(shown.map(([token]) => token)).toEqual(['old', 'good'])
    expect(linksOf(viewer)).toBe(1)
  })
})

describe('a seeder that wants tokens', () => {
  it('lets nobody wait for ever, and gives nothing meanwhile', async () => {
    const world = new MemoryWorld()
    const shown: [string, PeerId][] = []
    const seeder = guarded(world, shown)
    const silent = world.join({ trackers: [], seeders: [DIAL], token: () => new Promise(() => undefined) })
    await world.clock.advanceAsync(9 * SECOND)
    expect(linksOf(seeder)).toBe(0)
    await world.clock.advanceAsync(3 * SECOND)
    expect(silent.swarm.snapshot().refusal).toBe('token-required')
    expect(shown).toEqual([])
  })
})

describe('a viewer', () => {
  it('shows its token to nobody who does not ask, and takes one for nothing', async () => {
    const world = new MemoryWorld()
    const asked: string[] = []
    const token = () => {
      asked.push('host')
      return 'good'
    }
    world.join({ role: 'seeder', peerId: dialPeerId(DIAL), dial: DIAL, trackers: [] })
    const viewer = world.join({ trackers: [], seeders: [DIAL], token })
    await world.clock.advanceAsync(5 * SECOND)
    expect(linksOf(viewer)).toBe(1)
    expect(asked).toEqual([])
  })
})
