import { type ManifestSignature, MIN_PIECE_BYTES, millis, type SegmentManifest } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { type DriverOptions, EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'

const BYTES = testBytes(3 * MIN_PIECE_BYTES)
const ID = testSegmentId(7)
const signature = (fill: number): ManifestSignature => ({
  algorithm: 'ed25519',
  bytes: new Uint8Array(64).fill(fill),
})
const GOOD: SegmentManifest = { ...testManifest(ID, BYTES), signature: signature(1) }

/** A stand-in for a host that trusts signatures of ones. */
const trustOf: NonNullable<DriverOptions['trustOf']> = ({ signature: by }) =>
  by === null ? 'unsigned' : by.bytes[0] === 1 ? 'trusted' : 'untrusted'

/** A viewer that loads `ID` from the origin, with a neighbour. */
function loading(integrity: 'signed' | 'attested' | 'checked' | 'off') {
  const driver = new EngineDriver({ trustOf, integrity })
  driver.connect(1)
  driver.want(1, wantedOf(ID, { deadline: millis(driver.now) }))
  const [load] = effectsOf(driver.effects, 'http-fetch')
  if (load === undefined) throw new Error('nothing is loaded')
  return {
    driver,
    finds: () => effectsOf(driver.effects, 'find-manifest').map(({ wantId }) => wantId),
    found: (manifest: SegmentManifest) => void driver.input({ type: 'manifest-found', manifest }),
    whole() {
      const { fetchId } = load
      driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
      driver.input({ type: 'http-data', fetchId, offset: 0, bytes: BYTES.slice() })
      driver.input({ type: 'http-done', fetchId })
      driver.advance(500)
    },
    /** What a neighbour is told when it asks for the manifest, as whose signature it has. */
    given() {
      driver.receive(1, { type: 'manifest-request', swarmTag: TEST_SWARM.tag, segment: ID })
      return driver.sent(1).flatMap((sent) => (sent.type === 'manifest' ? [sent.manifest.signature] : []))
    },
    announced: () => driver.sent(1).some((sent) => sent.type === 'have' && sent.entries.length > 0),
  }
}

it.each(['before', 'after'])('a manifest found %s the load ends lets its segment be passed on', (when) => {
  const scene = loading('signed')
  expect(scene.finds()).toEqual([1])
  if (when === 'before') scene.found(GOOD)
  scene.whole()
  if (when === 'after') {
    expect(scene.given()).toEqual([])
    scene.found(GOOD)
    scene.driver.advance(500)
  }
  expect(scene.announced()).toBe(true)
  expect(scene.given().at(-1)).toEqual(GOOD.signature)
})

it.each([
  ['of another key', { ...GOOD, signature: signature(2) }],
  ['without a signature', { ...GOOD, signature: null }],
  ['of other bytes', { ...testManifest(ID, testBytes(3 * MIN_PIECE_BYTES, 2)), signature: signature(1) }],
  ['with fewer hashes', { ...GOOD, hashes: GOOD.hashes.slice(0, 2) }],
  ['of another place in the resource', { ...GOOD, offset: 1 }],
  ['of another segment', { ...testManifest(testSegmentId(8), BYTES), signature: signature(1) }],
])('one %s signs nothing, and what is played stays the origin’s', (_name, manifest) => {
  const scene = loading('signed')
  scene.found(manifest)
  scene.whole()
  scene.found(manifest)
  scene.driver.advance(500)
  expect(scene.given()).toEqual([])
  const [done] = effectsOf(scene.driver.effects, 'done')
  expect(done?.result.bytes).toEqual(BYTES)
})

it.each(['checked', 'off'] as const)('nobody looks for one at %s', (integrity) => {
  const scene = loading(integrity)
  scene.whole()
  expect(scene.finds()).toEqual([])
})
