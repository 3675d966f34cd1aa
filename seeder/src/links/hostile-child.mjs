/**
 * Runs the conformance suite, with all its hostile peers and failing owners, and a few more unkind
 * things, in a process with nothing else in it. One line of JSON for each case; exit code 0.
 *
 * node --expose-gc hostile-child.mjs
 */
import { LocalPeer, linkConformance } from '@shoal/core/testing'
import { createBarePeer, createNodeLinkFactory } from '../../dist/links/index.js'

const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(String(error)))

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const factories = []

function factoryWith(options) {
  const factory = createNodeLinkFactory({ bindAddress: '127.0.0.1', ...options })
  factories.push(factory)
  return factory
}

async function until(condition, limitMs) {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() >= end) return false
    await later(2)
  }
  return true
}

function rawPeer(role) {
  const events = []
  const bare = createBarePeer({
    role,
    bindAddress: '127.0.0.1',
    onSignal: (signal) => events.push({ type: 'signal', signal }),
    onOpen: () => events.push({ type: 'open' }),
    onMessage: () => undefined,
  })
  return {
    events,
    signal: async (signal) => bare.signal(signal),
    close: async () => bare.close(),
    async sendRaw(channel, data) {
      try {
        if (typeof data === 'string') bare.channels[channel].sendMessage(data)
        else bare.channels[channel].sendMessageBinary(data)
        return true
      } catch {
        return false
      }
    },
  }
}

const harness = {
  create: async (_side, { openTimeoutMs, ...options }) =>
    new LocalPeer((onError) => factoryWith({ onError, ...(openTimeoutMs && { openTimeoutMs }) }), options),
  createRaw: async (role) => rawPeer(role),
  until,
}

/** Two links of one factory whose owners do `unkind(link, event)` in every callback. */
async function unkindPair(factory, unkind) {
  const links = {}
  const closed = new Set()
  const opened = new Set()
  // The offerer's candidates wait for the answer (docs/protocol.md): told before it, checks come in while
  // the library keeps the answer's fingerprint, and DTLS may end against none.
  let answered = false
  const held = []
  const relay = (role, other, signal) => {
    if (role === 'offerer' && signal.kind === 'candidate' && !answered) return held.push(signal)
    links[other]?.signal(signal)
    if (role === 'answerer' && signal.kind === 'description') {
      answered = true
      for (const candidate of held) links.answerer.signal(candidate)
    }
  }
  const ownerOf = (role, other) => ({
    onSignal(signal) {
      relay(role, other, signal)
      unkind(links[role], 'signal')
    },
    onOpen() {
      opened.add(role)
      links[role].send('control', new Uint8Array(100))
      links[role].send('lossy', new Uint8Array(100))
      unkind(links[role], 'open')
    },
    onMessage: () => unkind(links[role], 'message'),
    onDrain: () => unkind(links[role], 'drain'),
    onClose() {
      closed.add(role)
      unkind(links[role], 'close')
    },
  })
  links.answerer = factory.create('answerer', ownerOf('answerer', 'offerer'))
  links.offerer = factory.create('offerer', ownerOf('offerer', 'answerer'))
  return { links, closed, opened }
}

const extraCases = [
  ...['signal', 'open', 'message', 'close'].map((when) => ({
    name: `an owner that closes in on ${when}`,
    async run() {
      const { links, closed } = await unkindPair(factoryWith({ onError: () => undefined }), (link, event) => {
        if (event === when) link?.close()
      })
      await later(300)
      links.offerer.close()
      links.answerer.close()
      if (!(await until(() => closed.size === 2, 5000))) throw new Error('not both closed')
    },
  })),
  {
    name: 'a reporter that throws',
    async run() {
      const before = uncaught.length
      const factory = factoryWith({
        onError() {
          throw new Error('reporter')
        },
      })
      const { links, opened } = await unkindPair(factory, () => {
        throw new Error('owner')
      })
      if (!(await until(() => opened.size === 2, 10_000))) throw new Error('not open')
      links.offerer.close()
      await later(200)
      if (uncaught.length === before) throw new Error('nothing was reported')
      if (!uncaught.slice(before).every((text) => text.includes('reporter'))) throw new Error(uncaught.join())
      uncaught.length = before
    },
  },
  {
    name: 'garbage collection while links are open',
    async run() {
      const { links, closed, opened } = await unkindPair(factoryWith({}), () => undefined)
      for (let round = 0; round < 20; round++) {
        globalThis.gc?.()
        await later(10)
      }
      if (!(await until(() => opened.size === 2, 10_000))) throw new Error('not open')
      for (let round = 0; round < 10; round++) globalThis.gc?.()
      await later(100)
      if (closed.size > 0) throw new Error('closed by itself')
      if (links.offerer.send('control', new Uint8Array(1)) !== 'sent') throw new Error('does not send')
      links.offerer.close()
      if (!(await until(() => closed.size === 2, 5000))) throw new Error('not both closed')
    },
  },
]

const failures = []
for (const { name, run } of [...linkConformance(harness), ...extraCases]) {
  let error = null
  try {
    await run()
  } catch (caught) {
    error = String(caught)
    failures.push(name)
  }
  process.stdout.write(`${JSON.stringify({ name, error })}\n`)
}
await Promise.all(factories.map((factory) => factory.shutdown()))
process.stdout.write(`${JSON.stringify({ done: true, failures, uncaught })}\n`)
process.exit(failures.length + uncaught.length === 0 ? 0 : 1)
