import { createBarePeer, createNodeLinkFactory } from '../../seeder/dist/links/index.js'
import {
  BARE_BUFFER_HIGH_BYTES,
  BARE_BUFFER_LOW_BYTES,
  type Connection,
  type ConnectionHooks,
  connectShoal,
  type EndOptions,
  TransportEnd,
} from './transport-end.js'
import type { EndCommand, EndReply } from './transport-ends.js'

/** Runs in a process of its own, told what to do by messages from `NodeEnd`. */

const factory = createNodeLinkFactory()

function connect(options: EndOptions, hooks: ConnectionHooks): Connection {
  return options.target === 'shoal' ? connectShoal(factory, options, hooks) : connectBare(options, hooks)
}

function connectBare(options: EndOptions, hooks: ConnectionHooks): Connection {
  const peer = createBarePeer({
    role: options.role,
    ...(options.target === 'bare-relu' ? { lossy: { negotiated: true, id: 1, unordered: true } } : {}),
    onSignal: (signal) => hooks.onSignal(signal),
    onOpen: () => hooks.onOpen(),
    onMessage: (_channel, data) => hooks.onBytes(typeof data === 'string' ? 0 : data.byteLength),
    onDrain: () => hooks.onRoom(),
  })
  const { lossy } = peer.channels
  lossy.setBufferedAmountLowThreshold(BARE_BUFFER_LOW_BYTES)
  return {
    signal: (signal) => peer.signal(signal),
    send(bytes) {
      try {
        if (lossy.bufferedAmount() + bytes.length > BARE_BUFFER_HIGH_BYTES) return false
        lossy.sendMessageBinary(bytes)
        return true
      } catch {
        // The other end has closed: the measurement is over.
        return false
      }
    },
    close: () => peer.close(),
  }
}

function reply(message: EndReply): void {
  process.send?.(message)
}

const end = new TransportEnd(connect, setImmediate)

process.on('message', (command: EndCommand) => {
  switch (command.type) {
    case 'open':
      end.open(
        command.options,
        (signal) => reply({ type: 'signal', signal }),
        () => reply({ type: 'opened' }),
      )
      break
    case 'signal':
      end.signal(command.signal)
      break
    case 'send':
      end.startSending()
      break
    case 'read': {
      const { user, system } = process.cpuUsage()
      reply({ type: 'reading', ...end.counts(), cpuMs: (user + system) / 1000 })
      break
    }
    case 'close':
      end.close()
      break
  }
})
process.on('disconnect', () => process.exit(0))
