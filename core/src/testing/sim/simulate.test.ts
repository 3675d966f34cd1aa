import { describe, expect, it } from 'vitest'
import { SIM_DEFAULTS, type SimOptions, type SimReport, simulate } from '../index.js'

/** Names that other programs rely on, besides the wall time and memory of a program's run. */
const CONTRACT = [
  'viewers',
  'rho',
  'seed',
  'workload',
  'offload',
  'offloadSteady',
  'bound',
  'httpCopiesPerSegment',
  'rebuffers',
  'twinRebuffers',
  'startupP95Ms',
  'twinStartupP95Ms',
  'duplicateShare',
  'controlShare',
  'firstPeerByteP50Ms',
  'firstPeerByteP95Ms',
  'pollutedBytesPlayed',
  'largestComponentShare',
] as const

/** Less than the default bitrate: fewer chunks, so that a run takes a moment. */
function run(options: Partial<SimOptions> = {}): Promise<SimReport> {
  return simulate({ ...SIM_DEFAULTS, viewers: 10, seconds: 40, bitsPerSecond: 1_500_000, ...options })
}

// Seconds of work each, on a machine that may be doing much else.
describe('the simulator', { timeout: 90_000 }, () => {
  it('finds the same again from the same seed, and something else from another', async () => {
    const first = await run({ viewers: 6, workload: 'mix', loss: 0.01 })
    expect(await run({ viewers: 6, workload: 'mix', loss: 0.01 })).toEqual(first)
    expect(await run({ viewers: 6, workload: 'mix', loss: 0.01, seed: 2 })).not.toEqual(first)
  })

  it('plays the same with providers and without, and counts what stays within them', async () => {
    const short = { viewers: 6, seconds: 16 }
    const without = await run(short)
    expect(without.sameIspShareAll).toBeNull()
    const { isps, sameIspTrafficShare, sameIspShareAll, sameIspLinkShare, ...same } = await run({
      ...short,
      isps: 2,
    })
    expect(without).toMatchObject(same)
    expect(isps).toBe(2)
    expect(sameIspShareAll).toBeGreaterThan(0)
    expect(sameIspShareAll).toBeLessThan(1)
    // No provider of six viewers has 17 members.
    expect([sameIspTrafficShare, sameIspLinkShare]).toEqual([null, null])
  })

  it('offloads, and nobody plays worse than by HTTP alone', async () => {
    const report = await run()
    expect(Object.keys(report)).toEqual(expect.arrayContaining([...CONTRACT]))
    expect(report.offloadSteady).toBeGreaterThan(0.1)
    expect(report.offloadSteady).toBeLessThanOrEqual(1)
    expect(report.bound).toBeCloseTo(0.9)
    expect(report.httpCopiesPerSegment).toBeGreaterThanOrEqual(0.9)
    expect(report.rebuffers).toBe(0)
    expect(report.startupP95Ms).toBe(report.twinStartupP95Ms)
    expect(report.firstPeerByteP50Ms).toBeGreaterThan(0)
    expect(report.largestComponentShare).toBe(1)
    expect(report.pollutedBytesPlayed).toBe(0)
  })

  it('deals viewers and their twins the same fate, where peers cannot matter', async () => {
    const edge = { ...SIM_DEFAULTS.edge, errorShare: 0.1, slowShare: 0.2 }
    const report = await run({ natFailure: 1, edge })
    expect(report.offload).toBe(0)
    expect(report.startupP50Ms).toBe(report.twinStartupP50Ms)
    expect(report.startupP95Ms).toBe(report.twinStartupP95Ms)
    expect(report.firstPeerByteP50Ms).toBeNull()
  })

  it.each(['flash', 'goal-spike', 'vod', 'tail-off', 'mix'] as const)(
    'runs the workload %s',
    async (workload) => {
      const report = await run({ workload, viewers: 8 })
      expect(report.workload).toBe(workload)
      expect(report.offload).toBeGreaterThan(0)
      expect(report.startupP50Ms).toBeGreaterThan(0)
    },
  )

  it.each(['tracker-away', 'cdn-503', 'cdn-away', 'partition', 'leader-killed', 'clock-skew'] as const)(
    'runs the fault %s',
    async (fault) => {
      const report = await run({ fault, viewers: 8 })
      expect(report.fault).toBe(fault)
      expect(report.offload).toBeGreaterThan(0)
      expect(report.rebuffers).toBeLessThanOrEqual(report.twinRebuffers)
    },
  )

  it('carries the parts of a low-latency stream, at the distance of the twins', async () => {
    const parts = { workload: 'low-latency', latencySeconds: 3, bitsPerSecond: 600_000 } as const
    const report = await run({ ...parts, viewers: 4, seconds: 14 })
    expect(report.offloadSteady).toBeGreaterThan(0.4)
    expect(report.offloadSteady).toBeLessThanOrEqual(report.bound)
    expect(report.rebuffers).toBeLessThanOrEqual(report.twinRebuffers)
    expect(report.startupP95Ms).toBe(report.twinStartupP95Ms)
    expect(report.slackP1Ms).toBeGreaterThan(0)
  })

  // One in five, as many as the hostile shares of the literature at their worst.
  const attack = { viewers: 15, seconds: 32, hostileShare: 0.2, bitsPerSecond: 1_000_000 }

  it.each(['checked', 'signed'] as const)(
    'bans every polluter and nobody else, and plays nothing of theirs: %s',
    async (integrity) => {
      const report = await run({ ...attack, fault: 'polluters', integrity })
      expect(report.hostile).toBe(3)
      expect(report.hostileBanned).toBe(3)
      expect(report.honestBanned).toBe(0)
      expect(report.pollutedBytesPlayed).toBe(0)
      expect(report.rebuffers).toBeLessThanOrEqual(report.twinRebuffers)
      // Two pieces for each ban, those aside that were on their way or came from who was not asked twice.
      expect(report.corruptPieces).toBeLessThan(4 * report.bans)
    },
  )

  it.each(['inventors', 'slanderers'] as const)('%s get nobody banned', async (fault) => {
    const signed = await run({ ...attack, fault, integrity: 'signed' })
    expect(signed).toMatchObject({ honestBanned: 0, pollutedBytesPlayed: 0 })
    const checked = await run({ ...attack, fault })
    expect(checked.honestBanned).toBe(0)
    expect(checked.checksFailed).toBeGreaterThan(0)
    expect(checked.rebuffers).toBeLessThanOrEqual(checked.twinRebuffers)
  })

  it('checks two bytes in a hundred of what peers bring at most, beside one copy of each segment', async () => {
    const [checked, off] = [await run({ viewers: 6 }), await run({ viewers: 6, integrity: 'off' })]
    expect(checked.checksMade).toBeGreaterThan(0)
    expect(checked.checkShare).toBeLessThan(0.025)
    expect(checked.checksFailed).toBe(0)
    expect(checked.checkCopiesPerSegment).toBeLessThan(0.1)
    expect(checked.httpCopiesPerSegment).toBeLessThan(off.httpCopiesPerSegment + 0.1)
    expect(off.checkShare).toBe(0)
  })
})
