import { createNodeLinkFactory } from '../../seeder/dist/links/index.js'
import type { Command, Reply } from './superseed-messages.js'
import { LiveViewer } from './superseed-viewer.js'

/** A process of viewers of a live stream: told what to do by messages. */

/** How often it is looked whether a viewer is connected, in milliseconds. */
const LOOK_MS = 100

const links = createNodeLinkFactory({ bindAddress: '127.0.0.1' })
const viewers: LiveViewer[] = []

function reply(message: Reply): void {
  process.send?.(message)
}

async function join(command: Extract<Command, { type: 'join' }>): Promise<void> {
  const { tracker, playlist, uploadBytesPerSecond } = command
  for (let i = 0; i < command.viewers; i++) {
    const viewer = await LiveViewer.join(links, tracker, playlist, uploadBytesPerSecond)
    viewers.push(viewer)
    const look = setInterval(() => {
      if (!viewer.connected) return
      clearInterval(look)
      reply({ type: 'joined' })
    }, LOOK_MS)
  }
}

process.on('message', (command: Command) => {
  switch (command.type) {
    case 'join':
      join(command).catch((error: unknown) => reply({ type: 'failed', error: String(error) }))
      break
    case 'count':
      for (const viewer of viewers) viewer.count(command.from, command.to)
      break
    case 'read':
      reply({ type: 'reading', viewers: viewers.map((viewer) => viewer.read()) })
      break
  }
})
process.on('disconnect', () => process.exit(0))
