import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { SeededRandom } from '../test/random.js'
import { mutateJson, mutateText } from '../test/text-mutation.js'
import { readVectors } from '../test/vectors.js'
import type { DecodeErrorCode } from './errors.js'
import { isBinaryString20 } from './ids.js'
import type { Verdict } from './integrity-messages.js'
import { MAX_CANDIDATE_CHARS, MAX_CANDIDATES, MAX_SDP_CHARS, MAX_WANTED } from './limits.js'
import type { IceCandidate, SessionDescription } from './signals.js'
import { readCandidate, readDescription } from './signals.js'
import type { Introduction, TrackerMessage } from './tracker-messages.js'
import { readTrackerMessage } from './tracker-messages.js'

const { accepted: descriptions } = readVectors<{
  readonly accepted: readonly { readonly description: SessionDescription }[]
}>('descriptions')
const { accepted: candidates } = readVectors<{
  readonly accepted: readonly { readonly candidate: IceCandidate }[]
}>('candidates')
const { fromTracker } = readVectors<{ readonly fromTracker: readonly { readonly text: string }[] }>(
  'tracker-messages',
)

const FRAGMENTS = [
  'a=candidate:1 1 udp 1 attacker.example 1 typ host\r\n',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n',
  'a=ice-ufrag\r\n',
  'a=ice-ufrag:zzzz\r\n',
  '::',
  '.local',
  ' typ host',
  ' generation 0',
  '"shoal":{"v":1},',
  '"peer_id":"-SH0100-abcdefghijkl",',
  '\\u0000',
  '"interval":120,',
  '"disputed":true,',
]

/** Says whether the text was taken, and fails on any error but a `DecodeError` with one of `codes`. */
function reads(read: () => void, codes: readonly DecodeErrorCode[]): boolean {
  const code = decodeErrorCode(read)
  if (code !== null && !codes.includes(code)) throw new Error(`unexpected code ${code}`)
  return code === null
}

function demand(holds: boolean, what: string, value: unknown): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(value)}`)
}

/** What a WebRTC stack may rely on, said with other means than those of the reader. */
function checkDescription({ type, sdp }: SessionDescription): void {
  const lines = sdp.split('\n').map((line) => line.replace('\r', ''))
  const starting = (prefix: string) => lines.filter((line) => line.startsWith(prefix)).length
  demand(type === 'offer' || type === 'answer', 'type', type)
  demand(sdp.length <= MAX_SDP_CHARS && !/[^\r\n -~]/.test(sdp), 'characters', sdp)
  demand(!/\r(?!\n)/.test(sdp), 'lone carriage return', sdp)
  demand(starting('m=') === 1 && starting('m=application') === 1, 'sections', sdp)
  demand(starting('a=ice-ufrag') === 1 && starting('a=ice-pwd') === 1, 'credentials', sdp)
  demand(starting('a=candidate') <= MAX_CANDIDATES && !sdp.includes('attacker.example '), 'candidates', sdp)
}

function checkCandidate({ candidate, sdpMid, sdpMLineIndex }: IceCandidate): void {
  const [, , , , address = '', port = ''] = candidate.split(' ')
  demand(candidate.length <= MAX_CANDIDATE_CHARS && /^[ -~]+$/.test(candidate), 'characters', candidate)
  demand(/^[\da-fA-F:.]+$/.test(address) || /^[\w-]+\.local$/.test(address), 'address', candidate)
  // The platform's own parser is the judge of IPv6 addresses.
  demand(!address.includes(':') || URL.canParse(`http://[${address}]/`), 'IPv6 address', candidate)
  demand(Number(port) > 0 && Number(port) < 65_536, 'port', candidate)
  demand(sdpMid !== null || sdpMLineIndex !== null, 'section', { sdpMid, sdpMLineIndex })
}

function checkIntroduction({ cost, ageSeconds }: Introduction): void {
  demand(cost === null || (Number.isInteger(cost) && cost >= 0 && cost <= 100), 'cost', cost)
  const fits =
    ageSeconds === null || (Number.isInteger(ageSeconds) && ageSeconds >= 0 && ageSeconds <= 86_400)
  demand(fits, 'age', ageSeconds)
}

/** As an import of a raw key judges it: by its bytes. */
function isKeyText(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url')
  return (
    bytes.toString('base64url') === text && (bytes.length === 32 || (bytes.length === 65 && bytes[0] === 4))
  )
}

function checkVerdict(verdict: Verdict): void {
  demand(/^\d{1,10}:\d{1,15}:\d{0,5}$/.test(verdict.s), 'segment', verdict)
  const digests = 'disputed' in verdict ? (verdict.wrong ?? []) : [verdict.h]
  demand(digests.length <= 8 && digests.every((h) => Buffer.from(h, 'base64url').length === 32), 'h', verdict)
  if (!('sig' in verdict)) return
  demand(Buffer.from(verdict.sig ?? '', 'base64url').length === 64, 'signature', verdict)
}

function checkTrackerMessage(message: TrackerMessage): void {
  demand(message.infoHash === null || isBinaryString20(message.infoHash), 'info hash', message)
  switch (message.type) {
    case 'offer':
      checkIntroduction(message)
      return checkDescription(message.offer)
    case 'answer':
      checkIntroduction(message)
      return checkDescription(message.answer)
    case 'candidates':
      demand(message.candidates.length <= MAX_CANDIDATES, 'count', message)
      return message.candidates.forEach(checkCandidate)
    case 'verdicts':
      return message.verdicts.forEach(checkVerdict)
    case 'reply': {
      const { interval, complete, incomplete, reportInterval, eligible, medianUplink } = message
      const { introduced } = message
      const named = introduced?.every((peer) => peer === null || isBinaryString20(peer)) ?? true
      demand(named && (introduced?.length ?? 0) <= MAX_WANTED, 'introduced', message)
      demand(message.keys.length <= 8 && message.keys.every(isKeyText), 'keys', message)
      demand(message.attestor === null || isKeyText(message.attestor), 'attestor', message)
      demand(interval >= 1 && interval <= 86_400 && (reportInterval ?? 1) >= 1, 'interval', message)
      demand(
        [complete, incomplete, eligible ?? 0, medianUplink ?? 0].every(
          (count) => Number.isSafeInteger(count) && count >= 0,
        ),
        'counts',
        message,
      )
    }
  }
}

describe('any text is a valid value or a DecodeError', () => {
  /** Runs `attempt` and asks that both outcomes came up: a fuzzer that reaches one only tests nothing. */
  function fuzz(runs: number, seed: number, attempt: (random: SeededRandom) => boolean): void {
    const random = new SeededRandom(seed)
    let taken = 0
    for (let i = 0; i < runs; i++) if (attempt(random)) taken++
    expect(taken).toBeGreaterThan(runs / 100)
    expect(taken).toBeLessThan(runs)
  }

  it('session descriptions', () => {
    fuzz(20_000, 11, (random) => {
      const { type, sdp } = random.pick(descriptions).description
      const value = { type, sdp: mutateText(random, sdp, FRAGMENTS) }
      return reads(() => checkDescription(readDescription(value)), ['bad-sdp'])
    })
  })

  it('candidates', () => {
    fuzz(40_000, 12, (random) => {
      const { candidate, ...section } = random.pick(candidates).candidate
      const value = { ...section, candidate: mutateText(random, candidate, FRAGMENTS) }
      return reads(() => checkCandidate(readCandidate(value)), ['bad-candidate'])
    })
  })

  it('signals with fields of other kinds', () => {
    fuzz(10_000, 13, (random) => {
      const value: unknown = JSON.parse(
        mutateJson(random, JSON.stringify(random.pick(candidates).candidate)).replaceAll('1e999', '7'),
      )
      reads(() => readDescription(value), ['bad-sdp'])
      return reads(() => checkCandidate(readCandidate(value)), ['bad-candidate'])
    })
  })

  it('messages of a tracker', () => {
    const codes = ['bad-json', 'bad-value', 'unknown-version', 'bad-sdp', 'bad-candidate'] as const
    fuzz(30_000, 14, (random) => {
      const { text } = random.pick(fromTracker)
      const changed = random.below(2) === 0 ? mutateText(random, text, FRAGMENTS) : mutateJson(random, text)
      return reads(() => checkTrackerMessage(readTrackerMessage(changed)), codes)
    })
  })
})
