import { seededRandom } from '@shoal/core/testing'
import { type AnnounceTemplate, SCENARIOS, type Scenario, SwarmMessages } from './tracker-scenarios.js'
import { LoadSocket } from './tracker-socket.js'

/**
 * The load, in a process of its own: many peers that announce again as soon as their last announce
 * is done with, told what to do by messages of the bench.
 */
export type LoadCommand =
  | JoinCommand
  | { readonly type: 'start'; readonly atOnce: number }
  /** Replied to after so many responses, or after `patienceMs`. */
  | { readonly type: 'count'; readonly responses: number; readonly patienceMs: number }

interface JoinCommand {
  readonly type: 'join'
  /** One for each process of the tracker: peers are spread over them. */
  readonly ports: readonly number[]
  readonly scenario: Scenario['name']
  /** The other side is the echo: nothing is relayed. */
  readonly echo: boolean
  readonly connections: number
  readonly seed: number
  readonly crowd: Crowd | null
}

/** Many peers on each socket, so that there can be more of them than sockets. Their offers are not answered. */
export interface Crowd {
  readonly peers: number
  /** Peers of one swarm, in place of the scenario's. */
  readonly swarm: number
  /** Of an announce, in place of the scenario's. */
  readonly offers: number
}

export type LoadReply =
  /** Half of the peers have joined. */
  | { readonly type: 'half' }
  | { readonly type: 'joined' }
  | ({ readonly type: 'reading' } & LoadReading)
  | { readonly type: 'failed'; readonly reason: string }

/** Counted since the command. */
export interface LoadReading {
  /** Messages that came from the tracker. */
  readonly responses: number
  readonly announces: number
  readonly offers: number
  readonly answers: number
  /** Announces given up: not everything that belongs to them came. */
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const NOTHING = { responses: 0, announces: 0, offers: 0, answers: 0, lost: 0 }

/** An announce that is not done with after this is given up, in ms. */
const PATIENCE_MS = 3000

/** For the server to come to rest, in ms: its memory is read then. */
const SETTLE_MS = 1000

/** Sockets that open at once: the listen queue of a Node server is 511 long. */
const OPEN_AT_ONCE = 64

/** Of a crowd's peers, those on one socket: a tracker allows 64. */
const CROWD_ON_A_SOCKET = 50

/** The first letter of `complete`. */
const COUNTS = 0x63

/** Bytes of a relayed message in which its kind stands: up to three ids of 120 bytes are before it. */
const HEAD_BYTES = 420

class Peer {
  socket: LoadSocket | null = null
  announcedAt = 0
  busy = false
  /** Called with the next reply. */
  onReply: (() => void) | null = null
  /** Answers that the current announce still waits for. */
  answersDue = 0
  readonly id: string
  readonly messages: SwarmMessages
  /** Of all that share its socket. */
  readonly templates: AnnounceTemplate[]
  private turn = 0

  constructor(id: string, messages: SwarmMessages) {
    this.id = id
    this.messages = messages
    this.templates = [messages.template(id)]
  }

  announce(serial: number): void {
    const template = this.templates[this.turn]
    if (template !== undefined) this.socket?.send(template.numbered(serial))
    this.turn = (this.turn + 1) % this.templates.length
  }
}

class Load {
  private readonly scenario: Scenario
  private readonly echo: boolean
  private readonly peers: Peer[] = []
  /** Peers whose turn it is not, longest idle first from `idleHead` on. */
  private idle: Peer[] = []
  private idleHead = 0
  private latencies: number[] = []
  private counts = { ...NOTHING }
  private serial = 0
  private enough = 0
  private onEnough: (() => void) | null = null

  constructor({ scenario: name, echo, crowd }: JoinCommand) {
    const scenario = SCENARIOS.find((each) => each.name === name)
    if (scenario === undefined) throw new Error(`no scenario ${name}`)
    this.scenario = crowd === null ? scenario : { ...scenario, offers: crowd.offers }
    this.echo = echo
  }

  async join(command: JoinCommand): Promise<void> {
    const { ports, connections, seed, crowd } = command
    const random = seededRandom(seed)
    if (crowd !== null) return this.joinCrowd(ports[0] ?? 0, crowd, random)
    let messages = new SwarmMessages(this.scenario, random)
    for (let i = 0; i < connections; i++) {
      if (i > 0 && i % this.scenario.swarm === 0) messages = new SwarmMessages(this.scenario, random)
      this.peers.push(new Peer(idOf(i), messages))
    }
    for (let i = 0; i < connections; i += OPEN_AT_ONCE) {
      const some = this.peers.slice(i, i + OPEN_AT_ONCE)
      await Promise.all(some.map((peer, n) => this.open(peer, ports[(i + n) % ports.length] ?? 0)))
      if (i < connections / 2 && i + OPEN_AT_ONCE >= connections / 2) {
        reply({ type: 'half' })
        await later(SETTLE_MS)
      }
    }
  }

  /** Many peers on each socket, drawn from all swarms; they announce in turn, each socket's one by one. */
  private async joinCrowd(port: number, { peers, swarm }: Crowd, random: () => number): Promise<void> {
    const swarms = Array.from({ length: peers / swarm }, () => new SwarmMessages(this.scenario, random))
    const swarmOf = (i: number) => swarms[i % swarms.length] ?? new SwarmMessages(this.scenario, random)
    const order = shuffled(peers, random)
    for (let i = 0; i < peers; i += CROWD_ON_A_SOCKET) {
      const [first = 0, ...others] = order.slice(i, i + CROWD_ON_A_SOCKET)
      const peer = new Peer(idOf(first), swarmOf(first))
      this.peers.push(peer)
      await this.open(peer, port, addressFrom(random))
      for (const other of others) {
        const messages = swarmOf(other)
        peer.templates.push(messages.template(idOf(other)))
        await this.ask(peer, messages.join(idOf(other)))
      }
      if (i < peers / 2 && i + CROWD_ON_A_SOCKET >= peers / 2) {
        reply({ type: 'half' })
        await later(SETTLE_MS)
      }
    }
  }

  private async open(peer: Peer, port: number, address = ''): Promise<void> {
    const socket = await LoadSocket.open(port, (payload) => this.take(peer, payload), address)
    peer.socket = socket
    socket.onEnd(() => fail('the tracker has closed a socket'))
    await this.ask(peer, peer.messages.join(peer.id))
  }

  private ask(peer: Peer, message: Buffer): Promise<void> {
    return new Promise((resolve) => {
      peer.onReply = resolve
      peer.socket?.send(message)
    })
  }

  start(atOnce: number): void {
    this.idle = [...this.peers]
    for (let i = 0; i < atOnce; i++) this.next()
    setInterval(() => this.giveUp(), PATIENCE_MS / 3)
  }

  async count(responses: number, patienceMs: number): Promise<LoadReading> {
    this.latencies = []
    this.counts = { ...NOTHING }
    await new Promise<void>((resolve) => {
      this.enough = responses
      this.onEnough = resolve
      setTimeout(resolve, patienceMs)
    })
    this.onEnough = null
    const sorted = this.latencies.sort((a, b) => a - b)
    const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2))
    return { ...this.counts, p50Ms: at(0.5), p99Ms: at(0.99) }
  }

  /** The peer that has been idle for longest announces. */
  private next(): void {
    const peer = this.idle[this.idleHead++]
    if (peer === undefined) throw new Error('more announces at once than peers')
    if (this.idleHead > this.peers.length) {
      this.idle = this.idle.slice(this.idleHead)
      this.idleHead = 0
    }
    peer.busy = true
    peer.answersDue = this.scenario.answered && !this.echo ? this.scenario.offers : 0
    let replied = false
    peer.onReply = () => {
      if (!replied) this.latencies.push(performance.now() - peer.announcedAt)
      replied = true
      peer.onReply = null
    }
    peer.announcedAt = performance.now()
    peer.announce(this.serial)
    this.serial = (this.serial + this.scenario.offers) >>> 0
    this.counts.announces++
  }

  private take(peer: Peer, payload: Buffer): void {
    this.counts.responses++
    if (this.counts.responses >= this.enough) this.onEnough?.()
    // Replies begin with the counts, in all trackers; what is relayed has its kind behind ids at most.
    const head = this.echo || payload[2] === COUNTS ? '' : payload.toString('latin1', 0, HEAD_BYTES)
    if (head.includes('"offer":')) {
      this.takeOffer(peer, payload)
      return
    }
    if (head.includes('"answer":')) {
      this.counts.answers++
      peer.answersDue--
    } else {
      peer.onReply?.()
    }
    if (peer.busy && peer.onReply === null && peer.answersDue <= 0) this.finish(peer)
  }

  private takeOffer(peer: Peer, payload: Buffer): void {
    this.counts.offers++
    if (!this.scenario.answered) return
    const text = payload.toString('latin1')
    peer.socket?.send(peer.messages.answer(peer.id, idIn(text, 'peer_id'), idIn(text, 'offer_id')))
  }

  private finish(peer: Peer): void {
    peer.busy = false
    this.idle.push(peer)
    this.next()
  }

  private giveUp(): void {
    const before = performance.now() - PATIENCE_MS
    for (const peer of this.peers) {
      if (!peer.busy || peer.announcedAt > before) continue
      this.counts.lost++
      this.finish(peer)
    }
  }
}

function idOf(serial: number): string {
  return `-WW0102-${serial.toString(36).padStart(12, '0')}`
}

/** The numbers below `count` in an order by chance (Fisher and Yates). */
function shuffled(count: number, random: () => number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const number = numbers[i] ?? 0
    numbers[i] = numbers[other] ?? 0
    numbers[other] = number
  }
  return numbers
}

/** Of a network that few share, as viewers are. */
function addressFrom(random: () => number): string {
  const byte = () => Math.floor(random() * 256)
  return `${20 + Math.floor(random() * 8)}.${byte()}.${byte()}.${byte()}`
}

/** A JSON string of a message, quotes included. */
function idIn(text: string, key: string): string {
  const at = text.indexOf(`"${key}":"`) + key.length + 3
  return text.slice(at, text.indexOf('"', at + 1) + 1)
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function reply(message: LoadReply): void {
  process.send?.(message)
}

function fail(reason: string): void {
  reply({ type: 'failed', reason })
}

let load: Load | null = null

process.on('message', (command: LoadCommand) => {
  if (command.type === 'join') {
    load = new Load(command)
    load.join(command).then(
      () => reply({ type: 'joined' }),
      (error: unknown) => fail(String(error)),
    )
  } else if (command.type === 'start') {
    load?.start(command.atOnce)
  } else if (load !== null) {
    load.count(command.responses, command.patienceMs).then(
      (reading) => reply({ type: 'reading', ...reading }),
      (error: unknown) => fail(String(error)),
    )
  }
})
process.once('disconnect', () => process.exit(0))
