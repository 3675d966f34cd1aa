import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'

const BYTES = testBytes(40_000)

/** An engine with one neighbour, which is to load part `part` of a segment at once. */
function loading(sequence: number, part: number, driver = new EngineDriver()) {
  if (driver.links === 0) driver.connect(1)
  const segment = testSegmentId(sequence, part)
  const deadline = millis(driver.now)
  const effects = driver.want(sequence * 100 + part, wantedOf(segment, { live: true, deadline }))
  const fetchId = effectsOf(effects, 'http-fetch')[0]?.fetchId ?? Number.NaN
  const finish = () => [
    ...driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength }),
    ...driver.input({ type: 'http-data', fetchId, offset: 0, bytes: BYTES }),
    ...driver.input({ type: 'http-done', fetchId }),
  ]
  return { driver, segment, finish }
}

describe('low-latency parts in the engine', () => {
  it('pushes the manifest to who asked before it was made', () => {
    const { driver, segment, finish } = loading(5, 2)
    const early = driver.receive(1, { type: 'manifest-request', swarmTag: TEST_SWARM.tag, segment })
    expect(driver.sent(1, early).some(({ type }) => type === 'manifest')).toBe(false)
    const sent = driver.sent(1, finish()).filter(({ type }) => type === 'manifest')
    expect(sent).toMatchObject([{ manifest: { segment, size: BYTES.byteLength } }])
    expect(effectsOf(driver.effects, 'done')).toMatchObject([{ result: { sources: { http: 40_000 } } }])
  })

  it('asks a neighbour that fetches a part for its manifest, and takes it unasked for nothing else', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    const segment = testSegmentId(5, 2)
    const pieces = { low: 0, high: 0 }
    driver.receive(1, {
      type: 'have',
      swarmTag: TEST_SWARM.tag,
      serial: 0,
      summary: true,
      backlogMs: 0,
      entries: [{ kind: 'segment', segment, fetching: true, pieces }],
    })
    driver.want(1, wantedOf(segment, { live: true, deadline: millis(driver.now + 6_000) }))
    driver.advance(100)
    const asked = driver.sent(1).filter(({ type }) => type === 'manifest-request')
    expect(asked).toEqual([{ type: 'manifest-request', swarmTag: TEST_SWARM.tag, segment }])
    const other = testSegmentId(5, 3)
    driver.want(2, wantedOf(other, { live: true, deadline: millis(driver.now + 6_000) }))
    const manifestOf = (id: typeof segment) =>
      driver.receive(1, {
        type: 'manifest',
        swarmTag: TEST_SWARM.tag,
        manifest: testManifest(id, BYTES),
      })
    expect(effectsOf(manifestOf(other), 'check-manifest')).toHaveLength(0)
    expect(effectsOf(manifestOf(segment), 'check-manifest')).toHaveLength(1)
  })

  it('lets parts go that playlists no longer name, and says so', () => {
    const first = loading(5, 0)
    first.finish()
    first.driver.advance(200)
    expect(first.driver.engine.snapshot().cachedSegments).toBe(1)
    loading(8, 7, first.driver).finish()
    expect(first.driver.engine.snapshot().cachedSegments).toBe(2)
    const later = loading(9, 0, first.driver)
    later.finish()
    expect(first.driver.engine.snapshot().cachedSegments).toBe(2)
    const told = first.driver
      .sent(1, first.driver.advance(200))
      .flatMap((message) => (message.type === 'have' ? message.entries : []))
    expect(told).toContainEqual({
      kind: 'segment',
      segment: first.segment,
      fetching: false,
      pieces: { low: 0, high: 0 },
    })
  })
})
