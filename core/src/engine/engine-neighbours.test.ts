import { type GoodbyeReason, type HaveEntry, millis, type PeerMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import { effectsOf, TEST_SWARM, testPeerId, testSegmentId, wantedOf } from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'

const { tag } = TEST_SWARM
const ID = testSegmentId(5)
const FETCHING: HaveEntry = { kind: 'segment', segment: ID, fetching: true, pieces: { low: 0, high: 0 } }

function have(serial: number, entries: readonly HaveEntry[] = []): PeerMessage {
  return { type: 'have', swarmTag: tag, serial, summary: serial === 0, backlogMs: 0, entries }
}

function closings(effects: readonly Effect[]): { link: number; reason: GoodbyeReason }[] {
  return effectsOf(effects, 'close-link').map(({ link, reason }) => ({ link, reason }))
}

/** Lets seconds pass in which every peer says something. */
function lively(driver: EngineDriver, links: readonly number[], seconds: number): Effect[] {
  const effects: Effect[] = []
  for (let second = 0; second < seconds; second++) {
    for (const link of links)
      effects.push(...driver.receive(link, { type: 'cancel', swarmTag: tag, requestIds: [1] }))
    effects.push(...driver.advance(1_000, 500))
  }
  return effects
}

describe('Engine: replacing a neighbour', () => {
  /** Three neighbours of four at most, all here for a minute, in a swarm of fifty. */
  function settled(): { driver: EngineDriver; effects: Effect[] } {
    const driver = new EngineDriver({ maxLinks: 4 })
    driver.input({ type: 'swarm-size', members: 50 })
    for (const link of [1, 2, 3]) driver.connect(link)
    return { driver, effects: lively(driver, [1, 2, 3], 60) }
  }

  it('asks for a newcomer, and says Goodbye to one of the others once it is here', () => {
    const { driver, effects } = settled()
    expect(effectsOf(effects, 'replace-neighbour')).toEqual([{ type: 'replace-neighbour', wanted: true }])
    expect(closings(effects)).toEqual([])
    const greeted = [...driver.connect(4), ...driver.advance(1_000, 250)]
    expect(effectsOf(greeted, 'replace-neighbour')).toEqual([{ type: 'replace-neighbour', wanted: false }])
    const [gone, ...more] = closings(greeted)
    expect(more).toEqual([])
    expect(gone).toMatchObject({ reason: 'full' })
    expect([1, 2, 3]).toContain(gone?.link)
    expect(driver.sent(gone?.link ?? 0, greeted)).toContainEqual({
      type: 'goodbye',
      swarmTag: tag,
      reason: 'full',
    })
    expect(driver.links).toBe(3)
    // It has done nothing wrong: there is room for it again.
    expect(closings(driver.connect(5, { peerId: testPeerId(`peer-${gone?.link}`) }))).toEqual([])
  })

  it('asks for none while no tracker answers', () => {
    const { driver } = settled()
    const away = driver.input({ type: 'swarm-size', members: null })
    away.push(...lively(driver, [1, 2, 3], 1))
    expect(effectsOf(away, 'replace-neighbour')).toEqual([{ type: 'replace-neighbour', wanted: false }])
    const greeted = [...driver.connect(4), ...lively(driver, [1, 2, 3, 4], 60)]
    expect(closings(greeted)).toEqual([])
    expect(driver.links).toBe(4)
  })

  it('lets a second connection to a neighbour in where all places are taken', () => {
    const driver = new EngineDriver({ maxLinks: 2, peerId: testPeerId('a') })
    driver.connect(1, { peerId: testPeerId('b') })
    driver.connect(2, { peerId: testPeerId('c') })
    expect(closings(driver.connect(3, { peerId: testPeerId('c') }))).toEqual([
      { link: 2, reason: 'duplicate-connection' },
    ])
    expect(driver.links).toBe(2)
  })

  it('bounds the connections to one neighbour that never closes the older ones', () => {
    const driver = new EngineDriver({ maxLinks: 2, peerId: testPeerId('b') })
    for (let link = 1; link <= 10; link++) driver.connect(link, { peerId: testPeerId('a') })
    expect(driver.links).toBe(3)
  })

  it('hands on why the other side has ended a connection', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    const effects = driver.receive(1, { type: 'goodbye', swarmTag: tag, reason: 'full' })
    expect(closings(effects)).toEqual([{ link: 1, reason: 'full' }])
  })
})

describe('Engine: who falls silent', () => {
  it('is let go after 25 s, also where nothing was asked of it', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    driver.connect(2)
    expect(closings(lively(driver, [2], 24))).toEqual([])
    expect(closings(lively(driver, [2], 2))).toEqual([{ link: 1, reason: 'leaving' }])
  })

  it('is not waited for beyond 1.5 s by who heard that it fetches a live segment', () => {
    const timeOfFetch = (repeats: boolean): number => {
      const driver = new EngineDriver()
      for (const link of [1, 2]) {
        driver.connect(link)
        driver.receive(link, have(0))
      }
      const begin = driver.now
      driver.receive(1, have(1, [FETCHING]))
      const deadline = millis(driver.now + 30_000)
      driver.want(1, wantedOf(ID, { live: true, deadline }))
      for (let serial = 2; driver.now < begin + 6_000; serial++) {
        if (effectsOf(driver.effects, 'http-fetch').length > 0) return driver.now - begin
        if (repeats) driver.receive(1, have(serial, [FETCHING]))
        driver.receive(2, have(serial))
        driver.advance(400)
      }
      return Number.POSITIVE_INFINITY
    }
    const silent = timeOfFetch(false)
    expect(silent).toBeGreaterThanOrEqual(1_500)
    expect(silent).toBeLessThan(4_500)
    expect(timeOfFetch(true)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is not ourselves: what we fetch is said again until it is here or given up', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    driver.input({ type: 'announce-fetching', segment: ID })
    const promises = (effects: readonly Effect[]): number =>
      driver.sent(1, effects).filter((message) => message.type === 'have' && message.entries.length > 0)
        .length
    const said = driver.advance(4_100)
    expect(driver.sent(1, said)).toContainEqual(expect.objectContaining({ entries: [FETCHING] }))
    // At once, and every 400 ms to the next 50.
    expect(promises(said)).toBeGreaterThanOrEqual(9)
    expect(promises(said)).toBeLessThanOrEqual(12)
    driver.input({ type: 'drop', segment: ID })
    driver.advance(100)
    expect(promises(driver.advance(5_000))).toBe(0)
  })
})
