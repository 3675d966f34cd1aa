import { type Announce, millis, type PeerId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { OpenTrackerSocket } from '../ports/socket.js'
import { MemoryWorld, type WorldPeer } from '../testing/index.js'

const SECOND = 1_000

const connectionsOf = ({ swarm }: WorldPeer): number => swarm.snapshot().links.length

/** A viewer whose first picture comes when `picture` is called. */
function loading(world: MemoryWorld) {
  let picture = (): void => undefined
  const quiet = new Promise<void>((resolve) => {
    picture = resolve
  })
  return { viewer: world.join({}, {}, { ports: { quiet } }), picture: () => picture() }
}

describe('a viewer at a tracker that introduces', () => {
  it('makes no connection while it is alone', async () => {
    const world = new MemoryWorld()
    world.join()
    await world.clock.advanceAsync(60 * SECOND)
    expect([world.linksMade, world.tracker.offers]).toEqual([0, 0])
  })

  it('announces at once and makes connections after its picture, to who is there alone', async () => {
    const world = new MemoryWorld()
    const first = world.join()
    await world.clock.advanceAsync(SECOND)
    const { viewer, picture } = loading(world)
    await world.clock.advanceAsync(SECOND)
    expect([...world.tracker.announces.values()]).toEqual([2])
    expect(world.linksMade).toBe(0)
    picture()
    // The offer, the answer, and the candidates of both sides.
    await world.clock.advanceAsync(400)
    expect([connectionsOf(first), connectionsOf(viewer)]).toEqual([1, 1])
    expect([world.linksMade, world.tracker.offers, world.tracker.uninvited]).toEqual([2, 1, 0])
  })

  it('takes up offers of others after its picture too', async () => {
    const world = new MemoryWorld()
    const { viewer, picture } = loading(world)
    await world.clock.advanceAsync(SECOND)
    const other = world.join()
    await world.clock.advanceAsync(SECOND)
    expect([world.linksMade, connectionsOf(viewer)]).toEqual([1, 0])
    picture()
    await world.clock.advanceAsync(400)
    expect([connectionsOf(other), connectionsOf(viewer)]).toEqual([1, 1])
    expect(world.linksMade).toBe(2)
  })

  it('makes hardly more connections than there are pairs', async () => {
    const world = new MemoryWorld()
    const viewers: WorldPeer[] = []
    for (let i = 0; i < 8; i++) {
      viewers.push(world.join())
      await world.clock.advanceAsync(SECOND)
    }
    await world.clock.advanceAsync(30 * SECOND)
    for (const viewer of viewers) expect(connectionsOf(viewer)).toBe(7)
    // Two for each pair; a pair of which both were named to the other may have made two more.
    expect(world.linksMade).toBeGreaterThanOrEqual(2 * 28)
    expect(world.linksMade).toBeLessThanOrEqual(2 * 28 + 8)
    expect(world.tracker.uninvited).toBe(0)
  })

  it('finds others in the next round where who was named has gone', async () => {
    const world = new MemoryWorld()
    const gone = world.join()
    await world.clock.advanceAsync(SECOND)
    const { viewer, picture } = loading(world)
    await world.clock.advanceAsync(SECOND)
    gone.swarm.close()
    const other = world.join()
    await world.clock.advanceAsync(100)
    picture()
    await world.clock.advanceAsync(15 * SECOND)
    expect(world.tracker.uninvited).toBe(0)
    expect([connectionsOf(other), connectionsOf(viewer)]).toEqual([1, 1])
  })
})

describe('a viewer at a stock tracker', () => {
  it('makes plain offers once it has heard the first reply', async () => {
    const world = new MemoryWorld({ tracker: { shoal: false } })
    const first = world.join()
    await world.clock.advanceAsync(SECOND)
    // It is alone, so that no offer is of use.
    expect(world.linksMade).toBe(0)
    const second = world.join()
    // One round trip more: 40 ms.
    await world.clock.advanceAsync(500)
    expect([connectionsOf(first), connectionsOf(second)]).toEqual([1, 1])
    expect([world.linksMade, world.tracker.offers]).toEqual([2, 1])
  })

  it('is asked anew where another tracker answers', async () => {
    const world = new MemoryWorld({ tracker: { shoal: false } })
    const viewers = [world.join(), world.join()]
    await world.clock.advanceAsync(SECOND)
    world.tracker.setUp(false)
    world.tracker.shoal = true
    await world.clock.advanceAsync(SECOND)
    world.tracker.setUp(true)
    await world.clock.advanceAsync(10 * SECOND)
    viewers.push(world.join())
    const before = world.tracker.offers
    await world.clock.advanceAsync(20 * SECOND)
    for (const viewer of viewers) expect(connectionsOf(viewer)).toBe(2)
    expect(world.tracker.offers - before).toBe(2)
  })
})

describe('a tracker that introduces at will', () => {
  /** A tracker that answers each announce with names, whatever is asked; what it heard. */
  function generous(world: MemoryWorld, names: readonly unknown[]) {
    const heard: Announce[] = []
    const openSocket: OpenTrackerSocket = (_url, events) => {
      world.clock.setTimer(millis(0), () => events.onOpen())
      return {
        send: (text) => {
          const message = JSON.parse(text) as Announce
          heard.push(message)
          const reply = {
            action: 'announce',
            info_hash: message.info_hash,
            interval: 120,
            complete: 0,
            incomplete: 50,
            shoal: { v: 1, report_interval: 10, introduced: names },
          }
          world.clock.setTimer(millis(10), () => events.onMessage(JSON.stringify(reply)))
          return true
        },
        close: () => undefined,
      }
    }
    return { heard, openSocket }
  }

  it('gets as many offers as were wanted, each with its target, and none for an unasked name', async () => {
    const world = new MemoryWorld()
    const names = Array.from({ length: 9 }, (_, index) => `${index}`.padEnd(20, 'x') as PeerId)
    const { heard, openSocket } = generous(world, [null, ...names])
    world.join({}, {}, { ports: { openSocket } })
    await world.clock.advanceAsync(5 * SECOND)
    expect(heard.map(({ shoal }) => shoal.want)).toEqual([5, undefined])
    expect(heard.map(({ offers = [] }) => offers.map(({ to_peer_id }) => to_peer_id))).toEqual([
      [],
      [null, ...names.slice(0, 4)],
    ])
    expect(world.linksMade).toBe(5)
    // What nobody has answered is withdrawn before the next round.
    await world.clock.advanceAsync(60 * SECOND)
    expect(world.linksMade).toBeLessThanOrEqual(5 * 8)
  })
})
