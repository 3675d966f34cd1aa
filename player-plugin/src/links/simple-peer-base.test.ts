import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test, vi } from 'vitest'
import { slim } from '../../vite-simple-peer.js'
import * as base from './simple-peer-base.js'

/** simple-peer, as far as the tests drive it. */
interface Peer {
  readonly destroyed: boolean
  on(event: string, listener: (value?: { readonly code?: unknown }) => void): Peer
  signal(data: object): void
  destroy(error?: Error): void
}
type PeerClass = new (options: object) => Peer

const require = createRequire(import.meta.url)
const published: PeerClass = require('simple-peer')
const source = readFileSync(require.resolve('simple-peer'), 'utf8')

function slimmed(): PeerClass {
  const names = Object.keys(base)
  const body = slim(source)
    .replace(/^import .*$/m, '')
    .replace('export default Peer', 'return Peer')
  return new Function(...names, body)(...Object.values(base))
}

/** A peer connection that does as it is told and tells what it was asked to do. */
class FakeConnection extends EventTarget {
  static last: FakeConnection
  readonly log: string[] = []
  readonly channel: Record<string, unknown> = {
    readyState: 'open',
    bufferedAmountLowThreshold: 0,
    close: () => this.log.push('close channel'),
  }
  localDescription: object | null = null
  remoteDescription: { readonly type: string } | null = null
  iceConnectionState = 'new'
  iceGatheringState = 'new'
  signalingState = 'stable'
  connectionState = 'new'
  refusal: Error | null = null
  onicecandidate: ((event: object) => void) | null = null
  oniceconnectionstatechange: (() => void) | null = null

  constructor() {
    super()
    FakeConnection.last = this
  }

  createDataChannel(label: string, options: object) {
    this.log.push(`create ${label} ${JSON.stringify(options)}`)
    return this.channel
  }
  async createOffer() {
    return { type: 'offer', sdp: 'our offer' }
  }
  async createAnswer() {
    return { type: 'answer', sdp: 'our answer' }
  }
  async setLocalDescription(description: object) {
    this.localDescription = description
  }
  async setRemoteDescription(description: { readonly type: string }) {
    if (this.refusal !== null) throw this.refusal
    this.remoteDescription = description
  }
  async addIceCandidate(candidate: { readonly candidate: string }) {
    this.log.push(`add ${candidate.candidate}`)
  }
  async getStats() {
    return new Map([['pair', { id: 'pair', type: 'candidate-pair', selected: true }]])
  }
  close() {
    this.log.push('close connection')
  }
  reach(state: string) {
    this.iceConnectionState = state
    this.oniceconnectionstatechange?.()
  }
}

const wrtc = {
  RTCPeerConnection: FakeConnection,
  RTCSessionDescription: class {
    constructor(init: object) {
      Object.assign(this, init)
    }
  },
  RTCIceCandidate: class {
    constructor(init: object) {
      Object.assign(this, init)
    }
  },
}

interface Run {
  readonly peer: Peer
  readonly connection: FakeConnection
  /** What the peer has told and its connection was asked, in order. */
  readonly log: string[]
  /** Waits until the log has the line. */
  logged(line: string): Promise<void>
}

function start(Class: PeerClass, initiator: boolean): Run {
  const channelConfig = { negotiated: true, id: 1 }
  const peer = new Class({ initiator, trickle: true, wrtc, channelName: 'lossy', channelConfig })
  const connection = FakeConnection.last
  const { log } = connection
  for (const event of ['signal', 'connect', 'close', 'end', 'finish', 'negotiated', 'iceStateChange']) {
    peer.on(event, (value) => log.push(`${event} ${JSON.stringify(value)}`))
  }
  peer.on('error', (error) => log.push(`error ${error?.code} ${error}`))
  const logged = async (line: string) => {
    await vi.waitFor(() => expect(log).toContain(line), { timeout: 10_000, interval: 1 })
  }
  return { peer, connection, log, logged }
}

const CLOSED = 'close undefined'
const ANSWER = { type: 'answer', sdp: 'their answer' }

const scripts: Record<string, (Class: PeerClass) => Promise<Run>> = {
  'an offerer connects and closes': async (Class) => {
    const run = start(Class, true)
    await run.logged('signal {"type":"offer","sdp":"our offer"}')
    run.connection.onicecandidate?.({ candidate: { candidate: 'ours', sdpMid: '0', sdpMLineIndex: 0 } })
    run.peer.signal(ANSWER)
    run.peer.signal({ candidate: { candidate: 'theirs' } })
    await run.logged('add theirs')
    ;(run.connection.channel['onopen'] as () => void)()
    run.connection.reach('connected')
    await run.logged('connect undefined')
    run.peer.destroy()
    await run.logged(CLOSED)
    return run
  },
  'an answerer keeps candidates that come before the offer': async (Class) => {
    const run = start(Class, false)
    run.peer.signal({ candidate: { candidate: 'early' } })
    run.peer.signal({ type: 'offer', sdp: 'their offer' })
    await run.logged('add early')
    await run.logged('signal {"type":"answer","sdp":"our answer"}')
    run.peer.destroy()
    await run.logged(CLOSED)
    return run
  },
  'the browser refuses a description with a DOMException': async (Class) => {
    const run = start(Class, false)
    run.connection.refusal = new DOMException('no such line', 'OperationError')
    run.peer.signal({ type: 'offer', sdp: 'nonsense' })
    await run.logged('error ERR_SET_REMOTE_DESCRIPTION OperationError: no such line')
    return run
  },
  'ICE fails': async (Class) => {
    const run = start(Class, true)
    run.connection.reach('failed')
    await run.logged('error ERR_ICE_CONNECTION_FAILURE Error: Ice connection failed.')
    return run
  },
  'the channel fails': async (Class) => {
    const run = start(Class, true)
    ;(run.connection.channel['onerror'] as (event: object) => void)({ error: new Error('reset') })
    await run.logged('error ERR_DATA_CHANNEL Error: reset')
    return run
  },
  'the channel closes': async (Class) => {
    const run = start(Class, true)
    ;(run.connection.channel['onclose'] as () => void)()
    await run.logged(CLOSED)
    return run
  },
  'a signal is none': async (Class) => {
    const run = start(Class, true)
    run.peer.signal({})
    await run.logged('error ERR_SIGNALING Error: signal() called with invalid signal data')
    return run
  },
}

test.each(Object.keys(scripts))('as simple-peer on Node streams: %s', async (name) => {
  const script = scripts[name]
  if (script === undefined) throw new Error(name)
  const [ours, theirs] = [await script(slimmed()), await script(published)]
  await Promise.all([ours.logged(CLOSED), theirs.logged(CLOSED)])
  expect(ours.log).toEqual(theirs.log)
  expect(ours.log).toContain('close connection')
  expect(ours.peer.destroyed).toBe(true)
  expect(() => ours.peer.signal(ANSWER)).toThrow('cannot signal after peer is destroyed')
})

test('no WebRTC is an error with its code', () => {
  expect(base.getBrowserRTC()).toBeNull()
  const make = () => new (slimmed())({ initiator: true })
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_WEBRTC_SUPPORT' }))
})

test('what an owner throws goes on to whoever emits, and an error without a listener is thrown', () => {
  const stream = new base.Duplex()
  const fault = new Error('fault')
  expect(() => stream.emit('error', fault)).toThrow(fault)
  stream.on('close', () => {
    throw fault
  })
  expect(() => stream.emit('close')).toThrow(fault)
})

test('listeners come in order, once or for good, until they are taken away', () => {
  const stream = new base.Duplex()
  const heard: unknown[] = []
  const gone = () => heard.push('gone')
  stream.once('x', (value) => heard.push(['once', value])).on('x', (value) => heard.push(['on', value]))
  stream.once('x', gone).removeListener('x', gone)
  expect([stream.emit('x', 1), stream.emit('x', 2), stream.emit('y')]).toEqual([true, true, false])
  expect(heard).toEqual([
    ['once', 1],
    ['on', 1],
    ['on', 2],
  ])
})

test('another simple-peer than the known one is refused', () => {
  expect(() => slim(source.replace("require('buffer')", "require('other')"))).toThrow(
    'simple-peer has changed',
  )
  expect(() => slim(`${source}\nrequire('more')`)).toThrow('simple-peer has changed')
})
