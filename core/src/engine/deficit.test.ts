import { describe, expect, it } from 'vitest'
import { DeficitController } from './deficit.js'

/** A swarm that can deliver `supply` of each segment; what neither it nor the share brings is urgent. */
function play(controller: DeficitController, supply: number, segments: number): number[] {
  const shares: number[] = []
  for (let segment = 0; segment < segments; segment++) {
    const { share } = controller
    shares.push(share)
    controller.segmentDone(Math.max(0, 1 - supply - share))
  }
  return shares
}

describe('DeficitController', () => {
  it('takes nothing where the swarm feeds itself', () => {
    expect(Math.max(...play(new DeficitController(), 1, 100))).toBe(0)
  })

  it('is not moved by one bad segment', () => {
    const controller = new DeficitController()
    for (const urgent of [0, 1, 0, 1, 0, 0.9, 0]) {
      controller.segmentDone(urgent)
      expect(controller.share).toBe(0)
    }
  })

  it('settles near what is missing, without swinging', () => {
    const shares = play(new DeficitController(), 0.5, 400).slice(200)
    expect(Math.min(...shares)).toBeGreaterThan(0.2)
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.5)
  })

  it('lets go when uplink is back', () => {
    const controller = new DeficitController()
    play(controller, 0.2, 200)
    expect(play(controller, 1, 30).at(-1)).toBe(0)
  })
})
