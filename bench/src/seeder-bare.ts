import { MAX_LOSSY_MESSAGE_BYTES } from '@shoal/protocol'
import { type BarePeer, createBarePeer } from '../../seeder/dist/links/index.js'
import type { Command, Reply } from './seeder-messages.js'
import { BARE_BUFFER_HIGH_BYTES, BARE_BUFFER_LOW_BYTES } from './transport-end.js'

/** The control row's sender: fills a bare channel to each viewer, in a process of its own. */

const ends = new Map<number, BarePeer>()
const message = new Uint8Array(MAX_LOSSY_MESSAGE_BYTES).fill(7)

function reply(said: Reply): void {
  process.send?.(said)
}

function fill({ channels: { lossy } }: BarePeer): void {
  try {
    while (lossy.bufferedAmount() + message.byteLength <= BARE_BUFFER_HIGH_BYTES)
      lossy.sendMessageBinary(message)
  } catch {
    // The other end has closed: the measurement is over.
  }
}

function connect(end: number): void {
  const peer = createBarePeer({
    role: 'offerer',
    bindAddress: '127.0.0.1',
    onSignal: (signal) => reply({ type: 'signal', end, signal }),
    onOpen: () => reply({ type: 'open' }),
    onMessage: () => undefined,
    onDrain: () => fill(peer),
  })
  peer.channels.lossy.setBufferedAmountLowThreshold(BARE_BUFFER_LOW_BYTES)
  ends.set(end, peer)
}

process.on('message', (command: Command) => {
  switch (command.type) {
    case 'bare':
      for (let end = command.first; end < command.first + command.viewers; end++) connect(end)
      break
    case 'signal':
      ends.get(command.end)?.signal(command.signal)
      break
    case 'go':
      for (const peer of ends.values()) fill(peer)
      break
  }
})
process.on('disconnect', () => process.exit(0))
