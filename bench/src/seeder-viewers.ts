import { setTimeout } from 'node:timers/promises'
import { type BarePeer, createBarePeer, createNodeLinkFactory } from '../../seeder/dist/links/index.js'
import type { Command, Reply } from './seeder-messages.js'
import { Viewer } from './seeder-viewer.js'

/** A process of viewers, or of bare receivers: told what to do by messages. */

const HOST = '127.0.0.1'
/** How often it is looked whether viewers are connected, in milliseconds. */
const LOOK_MS = 20
/**
 * Viewers of one process that connect at a time: the handshakes of hundreds at once would keep the machine
 * busy until all of them have timed out, and nothing is measured before all are there.
 */
const CONNECTING_AT_ONCE = 8

const links = createNodeLinkFactory({ bindAddress: HOST })
const viewers: Viewer[] = []
const ends = new Map<number, BarePeer>()
let bareBytes = 0

function reply(message: Reply): void {
  process.send?.(message)
}

async function join(command: Extract<Command, { type: 'join' }>): Promise<void> {
  const { first, play } = command
  let next = first
  const joinOnes = async () => {
    while (next < first + command.viewers) {
      const startsAfterMs = (next++ / command.of) * play.segmentMs
      const viewer = await Viewer.join(links, command.direct, play, startsAfterMs)
      viewers.push(viewer)
      while (!viewer.connected) await setTimeout(LOOK_MS)
      reply({ type: 'open' })
    }
  }
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, joinOnes))
}

function receive({ first, viewers }: Extract<Command, { type: 'bare' }>): void {
  for (let end = first; end < first + viewers; end++) {
    const peer = createBarePeer({
      role: 'answerer',
      bindAddress: HOST,
      onSignal: (signal) => reply({ type: 'signal', end, signal }),
      onOpen: () => reply({ type: 'open' }),
      onMessage: (_channel, data) => {
        bareBytes += typeof data === 'string' ? 0 : data.byteLength
      },
    })
    ends.set(end, peer)
  }
}

process.on('message', (command: Command) => {
  switch (command.type) {
    case 'join':
      join(command).catch((error: unknown) => reply({ type: 'failed', error: String(error) }))
      break
    case 'bare':
      receive(command)
      break
    case 'signal':
      ends.get(command.end)?.signal(command.signal)
      break
    case 'go':
      for (const viewer of viewers) viewer.go()
      break
    case 'read':
      reply({
        type: 'reading',
        bytes: bareBytes + viewers.reduce((sum, viewer) => sum + viewer.bytes, 0),
        missedDeadlines: viewers.reduce((sum, viewer) => sum + viewer.missedDeadlines, 0),
        asked: viewers.reduce((sum, viewer) => sum + viewer.asked, 0),
        wasted: viewers.reduce((sum, viewer) => sum + viewer.wasted, 0),
      })
      break
  }
})
process.on('disconnect', () => process.exit(0))
