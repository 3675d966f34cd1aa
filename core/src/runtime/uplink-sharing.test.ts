import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { AccessLine } from '../testing/access-line.js'
import { MemoryWorld, type WorldPeer } from '../testing/index.js'

const UPLINK = 100_000
const ASKERS = 4
const SEGMENTS = 10

/** Other traffic of the home, in bytes per second and for each packet. */
const CALL_RATE = 60_000
const CALL_PACKET_BYTES = 800
/** Between two looks at the line, in milliseconds. */
const STEP_MS = 20

interface Usage {
  /** Bytes per second that the uploads got through, and the mean wait in the router. */
  readonly rate: number
  readonly queueMs: number
}

/**
 * Four viewers fetch all they can from one, whose line is its own first, and then shared with a call.
 *
 * @param checkMs how often each connection's round trip is measured; null: never
 */
async function run(checkMs: number | null): Promise<{ readonly alone: Usage; readonly shared: Usage }> {
  const world = new MemoryWorld({ origin: { segmentBytes: 250_000 } })
  const { clock } = world
  const line = new AccessLine(clock, { bytesPerSecond: UPLINK, depthMs: 2_000, roundTripMs: 40, checkMs })
  const holder = world.join({}, {}, { wrap: (link) => line.behind(link) })
  for (let sequence = 1; sequence <= SEGMENTS; sequence++) await world.settle(world.want(holder, sequence, 0))
  const askers = Array.from({ length: ASKERS }, () => world.join({ uploads: false }))
  const met = () => holder.swarm.snapshot().links.length === ASKERS
  expect(await clock.runUntilAsync(met, 20_000)).toBe(true)
  // Time in which the round trips of an idle line become known.
  await clock.runUntilAsync(() => false, 6_000)
  // Two segments at a time, so that something is always asked for.
  const watch = async (asker: WorldPeer, first: number): Promise<void> => {
    for (let sequence = first; sequence <= SEGMENTS; sequence += 2) await world.want(asker, sequence, 600_000)
  }
  for (const asker of askers) for (const first of [1, 2]) void watch(asker, first)
  const during = async (seconds: number, callRate: number): Promise<Usage> => {
    const before = line.passedBytes
    const waits: number[] = []
    let owed = 0
    const step = (): void => {
      owed += (callRate * STEP_MS) / 1000
      for (; owed >= CALL_PACKET_BYTES; owed -= CALL_PACKET_BYTES) line.occupy(CALL_PACKET_BYTES)
      waits.push(line.queueMs)
      cancel = clock.setTimer(millis(STEP_MS), step)
    }
    let cancel = (): void => undefined
    step()
    await clock.runUntilAsync(() => false, seconds * 1000)
    cancel()
    const waited = waits.reduce((sum, wait) => sum + wait, 0)
    return { rate: (line.passedBytes - before) / seconds, queueMs: waited / waits.length }
  }
  await during(4, 0)
  const alone = await during(6, 0)
  await during(8, CALL_RATE)
  const shared = await during(8, CALL_RATE)
  return { alone, shared }
}

describe('uploads beside other traffic of the same home', () => {
  it('keep the router’s queue near 100 ms, and lose next to nothing by it while they are alone', async () => {
    const blind = await run(null)
    const seeing = await run(2_500)
    expect(seeing.alone.rate).toBeGreaterThan(0.9 * UPLINK)
    expect(seeing.alone.rate).toBeGreaterThan(0.9 * blind.alone.rate)
    expect(seeing.shared.queueMs).toBeLessThan(150)
    expect(seeing.shared.queueMs).toBeLessThan(0.7 * blind.shared.queueMs)
    expect(seeing.shared.rate).toBeGreaterThan(0.5 * (UPLINK - CALL_RATE))
  }, 60_000)
})
