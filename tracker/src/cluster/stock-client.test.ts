import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningTracker } from '../runtime/create-tracker.js'
import { createTracker } from '../runtime/create-tracker.js'
import { RedisServer } from '../testing/redis.js'
import { stockClientConformance } from '../testing/stock-conformance.js'

const NODES = 3

describe('the stock client at a cluster of three', () => {
  let redis: RedisServer
  let nodes: RunningTracker[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
    const options = { host: '127.0.0.1', port: 0, engine: 'ws' as const, redis: redis.url }
    nodes = await Promise.all(Array.from({ length: NODES }, () => createTracker(options)))
  })

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await redis.kill()
  })

  stockClientConformance({
    get urls() {
      return nodes.map(({ url }) => url)
    },
    sockets: () => nodes.reduce((sum, node) => sum + node.stats().sockets, 0),
  })
})
