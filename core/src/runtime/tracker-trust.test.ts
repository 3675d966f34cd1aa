import { base64urlOf, type PublicKey } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { SegmentVerdict } from '../engine/reported-lists.js'
import { testSegmentId } from '../testing/engine-fixtures.js'
import { toyCrypto } from '../testing/toy-crypto.js'
import type { Integrity, SwarmOptions } from './swarm-api.js'
import { TrackerTrust } from './tracker-trust.js'

const KEY = base64urlOf(new Uint8Array(32).fill(1))
const OTHER = base64urlOf(new Uint8Array(32).fill(2))
const ATTESTOR = base64urlOf(Uint8Array.from({ length: 65 }, (_, at) => (at === 0 ? 4 : 9)))
const DIGEST = base64urlOf(new Uint8Array(32).fill(3))
const SIGNATURE = new Uint8Array(64).fill(5)
const { track } = testSegmentId()

interface Scene {
  readonly trust: TrackerTrust
  readonly levels: Integrity[]
  readonly verdicts: SegmentVerdict[]
  /** Keys and attestor that the host was told to trust, as texts. */
  readonly vouched: string[]
}

function scene(options: Pick<SwarmOptions, 'integrity' | 'trustsTracker'>, usable = true): Scene {
  const levels: Integrity[] = []
  const verdicts: SegmentVerdict[] = []
  const vouched: string[] = []
  const text = (key: PublicKey) => base64urlOf(key.bytes)
  const vouch = async (keys: readonly PublicKey[], attestor: PublicKey | null) => {
    vouched.push(`${keys.map(text).join()} ${attestor === null ? '' : text(attestor)}`)
    return usable && keys.length > 0
  }
  const trust = new TrackerTrust(
    options,
    { ...toyCrypto, vouch },
    { level: (level) => levels.push(level), verdict: (verdict) => verdicts.push(verdict) },
  )
  return { trust, levels, verdicts, vouched }
}

describe('keys that a tracker vouches for', () => {
  it('make unsigned segments count no longer, and count again when there is no signer any more', async () => {
    const { trust, levels, vouched } = scene({ integrity: 'auto' })
    trust.reply([], null)
    trust.reply([KEY], null)
    await Promise.resolve()
    expect(levels).toEqual(['signed'])
    for (let reply = 0; reply < 5; reply++) trust.reply([KEY], ATTESTOR)
    expect(vouched).toEqual([`${KEY} `])
    // A seeder that starts anew is away for a moment.
    trust.reply([], null)
    trust.reply([], null)
    await Promise.resolve()
    expect(levels).toEqual(['signed'])
    trust.reply([], null)
    await Promise.resolve()
    expect(levels).toEqual(['signed', 'checked'])
  })

  it('change nothing where the browser cannot use them', async () => {
    const { trust, levels } = scene({ integrity: 'auto' }, false)
    trust.reply([KEY], null)
    await Promise.resolve()
    expect(levels).toEqual(['checked'])
  })

  it('never count beside the publisher’s own: a tracker cannot pass off other content', async () => {
    const { trust, levels, vouched, verdicts } = scene({ integrity: 'signed', trustsTracker: false })
    trust.reply([KEY, OTHER], ATTESTOR)
    trust.verdicts([{ s: `${track}:1:`, h: DIGEST, sig: base64urlOf(SIGNATURE) }])
    await Promise.resolve()
    expect(vouched.join('')).not.toContain(KEY)
    expect(vouched.join('')).not.toContain(ATTESTOR)
    expect([levels, verdicts]).toEqual([[], []])
  })

  it('do not lift a level that was chosen by name', async () => {
    for (const integrity of ['checked', 'off', 'attested'] as const) {
      const { trust, levels } = scene({ integrity, trustsTracker: true })
      trust.reply([KEY], null)
      await Promise.resolve()
      expect(levels).toEqual([])
    }
  })
})

describe('verdicts', () => {
  it('of attestation need the attestor’s key, and have its kind of signature', () => {
    const { trust, verdicts, vouched } = scene({ integrity: 'attested' })
    const verdict = { s: `${track}:1:`, h: DIGEST, sig: base64urlOf(SIGNATURE) }
    trust.verdicts([verdict])
    expect(verdicts).toEqual([])
    trust.reply([], ATTESTOR)
    expect(vouched).toEqual([` ${ATTESTOR}`])
    trust.verdicts([verdict, { s: `${track}:2:`, h: DIGEST }])
    const signature = { algorithm: 'p256', bytes: SIGNATURE }
    expect(verdicts).toEqual([{ type: 'attested', segment: testSegmentId(1), digest: DIGEST, signature }])
  })

  it('of disagreement are handed on', () => {
    const { trust, verdicts } = scene({ integrity: 'checked' })
    trust.verdicts([{ s: `${track}:1:2`, disputed: true, wrong: [DIGEST] }])
    expect(verdicts).toEqual([{ type: 'disputed', segment: testSegmentId(1, 2), wrong: [DIGEST] }])
  })
})

describe('reports', () => {
  it('are told once, the newest where there are too many', () => {
    const { trust } = scene({ integrity: 'checked' })
    for (let sequence = 1; sequence <= 40; sequence++) trust.report(testSegmentId(sequence), DIGEST, false)
    for (let sequence = 1; sequence <= 10; sequence++) trust.report(testSegmentId(sequence), DIGEST, true)
    const { reports } = trust
    expect(reports.lists).toHaveLength(32)
    expect(reports.lists?.at(-1)).toEqual({ s: `${track}:40:`, h: DIGEST })
    expect(reports.wrong).toHaveLength(8)
    trust.told(reports)
    expect(trust.reports).toEqual({})
  })

  it('that come while others are sent wait for the next announce', () => {
    const { trust } = scene({ integrity: 'checked' })
    trust.report(testSegmentId(1), DIGEST, false)
    const { reports } = trust
    trust.report(testSegmentId(2), DIGEST, false)
    trust.told(reports)
    expect(trust.reports.lists).toHaveLength(2)
  })
})
