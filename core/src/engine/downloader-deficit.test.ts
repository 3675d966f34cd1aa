import { CHUNK_BYTES, chunkCountOf, MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  runEntry,
  sameBytes,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'

/** More than fits into the window of a peer that has not been measured. */
const BYTES = testBytes(20 * MIN_PIECE_BYTES)
const { tag: swarmTag } = TEST_SWARM

/** A viewer that plays what one peer holds. */
class Viewer {
  readonly driver: EngineDriver
  constructor(seed: number) {
    this.driver = new EngineDriver({ seed })
    this.driver.connect(1)
  }

  /** Wants a segment that is not due for a while, and hears its manifest. */
  begin(sequence: number, live = true): void {
    const { driver } = this
    const entries = [runEntry(sequence)]
    const have = { type: 'have', swarmTag, serial: sequence, summary: false, backlogMs: 0 } as const
    driver.receive(1, { ...have, entries })
    const id = testSegmentId(sequence)
    driver.want(sequence, wantedOf(id, { deadline: millis(driver.now + 60_000), live }))
    driver.advance(50)
    driver.receive(1, { type: 'manifest', swarmTag, manifest: testManifest(id, BYTES) })
  }

  /** Lets the peer answer what it was asked of the segment. */
  fromPeer(sequence: number): void {
    const requests = () =>
      this.driver
        .sent(1)
        .flatMap((message) =>
          message.type === 'request' && message.segment.sequence === sequence ? [message] : [],
        )
    for (let turn = 0; turn < requests().length; turn++) {
      const { requestId, piece } = requests()[turn] ?? { requestId: 0, piece: 0 }
      const bytes = BYTES.subarray(piece * MIN_PIECE_BYTES, (piece + 1) * MIN_PIECE_BYTES)
      for (let chunk = 0; chunk < chunkCountOf(MIN_PIECE_BYTES); chunk++) {
        const payload = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
        this.driver.receive(1, { type: 'data', swarmTag, requestId, chunk, serial: 0, payload })
      }
    }
  }

  /** The deadline is here: the origin brings what is missing. */
  fromOrigin(sequence: number): void {
    const { driver } = this
    driver.input({ type: 'deadline', wantId: sequence, deadline: millis(driver.now) })
    this.answerFetches(sequence)
  }

  answerFetches(sequence: number): void {
    for (const { fetchId, span, wantId } of effectsOf(this.driver.effects, 'http-fetch')) {
      if (wantId !== sequence) continue
      const { start, end } = span ?? { start: 0, end: BYTES.byteLength }
      this.driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
      this.driver.input({ type: 'http-data', fetchId, offset: start, bytes: BYTES.slice(start, end) })
      this.driver.input({ type: 'http-done', fetchId })
    }
  }

  spansFor(sequence: number) {
    const fetches = effectsOf(this.driver.effects, 'http-fetch')
    return fetches.filter(({ wantId }) => wantId === sequence).map(({ span }) => span)
  }

  result(sequence: number) {
    return effectsOf(this.driver.effects, 'done').find(({ wantId }) => wantId === sequence)?.result
  }
}

/** A viewer that the origin had to bring three live segments late, which a peer had promised. */
function short(seed = 1, live = true): Viewer {
  const viewer = new Viewer(seed)
  for (const sequence of [1, 2, 3]) {
    viewer.begin(sequence, live)
    viewer.fromOrigin(sequence)
    expect(viewer.result(sequence)?.sources.http).toBe(BYTES.byteLength)
  }
  return viewer
}

describe('in a swarm with too little uplink', () => {
  it('a share of a live segment is asked of the origin early, once, and peers bring the rest', () => {
    const viewer = short()
    viewer.begin(4)
    const [span, ...more] = viewer.spansFor(4)
    expect(more).toEqual([])
    // 0.3 of the urgent share, which was all: six pieces of twenty.
    const early = (span?.end ?? 0) - (span?.start ?? 0)
    expect(early).toBe(6 * MIN_PIECE_BYTES)
    viewer.answerFetches(4)
    viewer.driver.advance(100)
    viewer.fromPeer(4)
    expect(viewer.spansFor(4)).toHaveLength(1)
    const result = viewer.result(4)
    expect(sameBytes(result?.bytes, BYTES)).toBe(true)
    expect(result?.sources).toEqual({ http: early, peers: BYTES.byteLength - early, seeders: 0 })
    expect(viewer.driver.engine.snapshot().wastedBytes).toBe(0)
  })

  it('another viewer takes another piece', () => {
    const starts = new Set<number | undefined>()
    for (let seed = 1; seed <= 12; seed++) {
      const viewer = short(seed)
      viewer.begin(4)
      starts.add(viewer.spansFor(4)[0]?.start)
    }
    expect(starts.size).toBeGreaterThan(2)
    expect(starts).not.toContain(undefined)
  })

  it('what was asked early does not count as late: it ceases when peers bring the rest', () => {
    const viewer = short()
    for (let sequence = 4; sequence < 22; sequence++) {
      viewer.begin(sequence)
      viewer.answerFetches(sequence)
      viewer.fromPeer(sequence)
      expect(viewer.result(sequence)).toBeDefined()
    }
    expect(viewer.spansFor(4)).toHaveLength(1)
    viewer.begin(22)
    expect(viewer.spansFor(22)).toEqual([])
  })

  it('nothing is asked early where peers brought all, or on demand', () => {
    const fed = new Viewer(1)
    for (const sequence of [1, 2, 3]) {
      fed.begin(sequence)
      fed.fromPeer(sequence)
      expect(fed.spansFor(sequence)).toEqual([])
    }
    const onDemand = short(1, false)
    onDemand.begin(4, false)
    expect(onDemand.spansFor(4)).toEqual([])
  })
})
