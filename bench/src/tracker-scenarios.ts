import { textFrame } from './tracker-socket.js'

/** What the peers of a scenario do. */
export interface Scenario {
  readonly name: 'A' | 'B'
  readonly offers: number
  readonly sdpChars: number
  /** Peers of one swarm. */
  readonly swarm: number
  /** Offers are answered. */
  readonly answered: boolean
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'A', offers: 10, sdpChars: 47, swarm: 10, answered: false },
  { name: 'B', offers: 5, sdpChars: 900, swarm: 20, answered: true },
]

const HEX_DIGITS = 8

/** Characters of an id that are the same in all offers of a swarm; the rest is a serial number. */
const FIXED_CHARS = 20 - HEX_DIGITS

/** Messages of the peers of one swarm, as the stock client writes them: same keys, same order. */
export class SwarmMessages {
  private readonly scenario: Scenario
  private readonly hash: string
  private readonly fixed: string
  private readonly sdp: string

  /** @param random uniform in [0, 1) */
  constructor(scenario: Scenario, random: () => number) {
    this.scenario = scenario
    this.hash = randomBinary(20, random)
    this.fixed = randomBinary(FIXED_CHARS, random)
    this.sdp = sessionDescription(scenario.sdpChars)
  }

  /** An announce without offers. */
  join(peerId: string): Buffer {
    return textFrame(Buffer.from(JSON.stringify(this.announce(peerId, 0, 'started'))))
  }

  /** An announce with offers, to be numbered by `numbered`. */
  template(peerId: string): AnnounceTemplate {
    const { offers } = this.scenario
    return new AnnounceTemplate(textFrame(Buffer.from(JSON.stringify(this.announce(peerId, offers)))))
  }

  private announce(peerId: string, offers: number, event?: string): object {
    return {
      numwant: offers,
      uploaded: 0,
      downloaded: 0,
      left: 1,
      ...(event === undefined ? {} : { event }),
      action: 'announce',
      info_hash: this.hash,
      peer_id: peerId,
      ...(offers === 0 ? {} : { offers: Array.from({ length: offers }, () => this.offer()) }),
    }
  }

  private offer(): object {
    return { offer: { type: 'offer', sdp: this.sdp }, offer_id: this.fixed + SERIAL_MARK }
  }

  /** Answers an offer. Ids are as they stood in the message, escapes and all. */
  answer(peerId: string, toPeerIdJson: string, offerIdJson: string): Buffer {
    const head = JSON.stringify({ action: 'announce', info_hash: this.hash, peer_id: peerId })
    const sdp = JSON.stringify({ type: 'answer', sdp: this.sdp })
    const bytes = Buffer.concat([
      Buffer.from(head.slice(0, -1)),
      Buffer.from(`,"to_peer_id":${toPeerIdJson},"answer":${sdp},"offer_id":${offerIdJson}}`, 'latin1'),
    ])
    return textFrame(bytes)
  }
}

/** What stands where a serial number goes; it occurs nowhere else. */
const SERIAL_MARK = '#'.repeat(HEX_DIGITS)

/** An announce whose offers get new ids each time. */
export class AnnounceTemplate {
  private readonly frame: Buffer
  private readonly places: number[] = []

  constructor(frame: Buffer) {
    this.frame = frame
    for (let at = frame.indexOf(SERIAL_MARK); at >= 0; at = frame.indexOf(SERIAL_MARK, at + HEX_DIGITS)) {
      this.places.push(at)
    }
  }

  /** A copy with the offers numbered from `first`. */
  numbered(first: number): Buffer {
    const copy = Buffer.from(this.frame)
    let serial = first
    for (const at of this.places) copy.write((serial++).toString(16).padStart(HEX_DIGITS, '0'), at, 'latin1')
    return copy
  }
}

/** Random bytes as characters, like an info hash; without quotes and backslashes, so that ids are easily cut out. */
function randomBinary(length: number, random: () => number): string {
  let text = ''
  while (text.length < length) {
    const code = Math.floor(random() * 256)
    if (code !== 0x22 && code !== 0x5c) text += String.fromCharCode(code)
  }
  return text
}

/** Lines like those of a real one. */
function sessionDescription(chars: number): string {
  const line = 'a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0\r\n'
  return `v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n${line.repeat(Math.ceil(chars / line.length))}`.slice(
    0,
    chars,
  )
}
