import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { readVectors } from '../test/vectors.js'
import type { DecodeErrorCode } from './errors.js'
import type { Verdict } from './integrity-messages.js'
import type {
  Announce,
  AnswerAnnounce,
  CandidateAnnounce,
  ClientMessage,
  TrackerMessage,
} from './tracker-messages.js'
import { readTrackerMessage } from './tracker-messages.js'
import type { InfoHash, PeerId } from './units.js'

interface Vectors {
  readonly toTracker: readonly { readonly name: string; readonly text: string }[]
  readonly fromTracker: readonly {
    readonly name: string
    readonly text: string
    readonly message: TrackerMessage
  }[]
  readonly rejected: readonly {
    readonly name: string
    readonly text: string
    readonly code: DecodeErrorCode
  }[]
}
const { toTracker, fromTracker, rejected } = readVectors<Vectors>('tracker-messages')

describe('readTrackerMessage', () => {
  it.each(fromTracker)('$name', ({ text, message }) => {
    expect(readTrackerMessage(text)).toEqual(message)
  })
  it.each(rejected)('refuses: $name: $code', ({ text, code }) => {
    expect(decodeErrorCode(() => readTrackerMessage(text))).toBe(code)
  })
})

describe('messages to a tracker', () => {
  const offer = fromTracker.map(({ message }) => message).find((message) => message.type === 'offer')
  const answer = fromTracker.map(({ message }) => message).find((message) => message.type === 'answer')
  const trickle = fromTracker.map(({ message }) => message).find((message) => message.type === 'candidates')
  if (offer === undefined || answer === undefined || trickle === undefined) throw new Error('no vectors')

  const { message: introducing } = fromTracker.find(({ name }) => name === 'reply with introductions') ?? {}
  if (introducing?.type !== 'reply') throw new Error('no vectors')

  const ours = {
    action: 'announce',
    info_hash: offer.infoHash as InfoHash,
    peer_id: '-SH0100-abcdefghijkl' as PeerId,
  } as const
  const announce: Announce = {
    ...ours,
    event: 'started',
    numwant: 1,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    shoal: { v: 1, role: 'viewer' },
    offers: [{ offer: offer.offer, offer_id: offer.offerId }],
  }
  const { offers: [entry] = [], ...unasked } = announce
  const [named] = introducing.introduced ?? []
  if (entry === undefined || named === undefined) throw new Error('no vectors')
  const asking: Announce = { ...unasked, numwant: 0, shoal: { v: 1, role: 'viewer', want: 5 } }
  const targeted: Announce = {
    ...announce,
    event: 'update',
    numwant: 2,
    offers: [
      { to_peer_id: named, ...entry },
      { to_peer_id: null, ...entry, offer_id: 'offer-id-0123456789b' },
    ],
  }
  const report: Announce = {
    ...ours,
    event: 'update',
    numwant: 0,
    uploaded: 3_000_000,
    downloaded: 5_200_000,
    left: 0,
    shoal: {
      v: 1,
      role: 'seeder',
      report: {
        http: 1_000_000,
        peers: 5_000_000,
        seeders: 200_000,
        uploaded: 3_000_000,
        links: 6,
        stalls: 0,
      },
      name: 'Film 7',
    },
  }
  const hinted: Announce = {
    ...report,
    shoal: {
      v: 1,
      role: 'viewer',
      uplink: 375_000,
      uploads: true,
      slots: 4,
      playhead: 7.5,
      nat: 'cone',
      degree: 12,
      backlog: 120,
      ok: 14,
      failed: 3,
    },
  }
  const answered: AnswerAnnounce = {
    ...ours,
    to_peer_id: answer.from,
    answer: answer.answer,
    offer_id: answer.offerId,
  }
  const trickled: CandidateAnnounce = {
    ...ours,
    to_peer_id: trickle.from,
    offer_id: trickle.offerId,
    shoal: { v: 1, candidates: trickle.candidates },
  }
  const { message: withKeys } = fromTracker.find(({ name }) => name === 'reply with keys') ?? {}
  const { message: judged } = fromTracker.find(({ name }) => name === 'verdicts') ?? {}
  if (withKeys?.type !== 'reply' || judged?.type !== 'verdicts') throw new Error('no vectors')
  const [known = '', other = ''] = judged.verdicts.flatMap((verdict) =>
    'disputed' in verdict ? (verdict.wrong ?? []) : [],
  )
  const [{ s: whole }, { s: part }] = judged.verdicts as [Verdict, Verdict]
  const keyed: Announce = {
    ...ours,
    event: 'started',
    numwant: 0,
    uploaded: 0,
    downloaded: 0,
    left: 0,
    shoal: { v: 1, role: 'seeder', keys: withKeys.keys },
  }
  const loaded: Announce = {
    ...ours,
    event: 'update',
    numwant: 0,
    uploaded: 0,
    downloaded: 5_200_000,
    left: 1,
    shoal: {
      v: 1,
      role: 'viewer',
      lists: [
        { s: whole, h: known },
        { s: part, h: other },
      ],
      wrong: [{ s: whole, h: other }],
    },
  }
  const messages: Readonly<Record<string, ClientMessage>> = {
    announce,
    'announce that asks whom to offer to': asking,
    'announce with an offer for who was introduced, and one for another node': targeted,
    'announce of a seeder with its keys': keyed,
    'report of what was loaded over HTTP and of what was found wrong': loaded,
    'report of a seeder': report,
    'report of a viewer with what matching wants': hinted,
    answer: answered,
    candidates: trickled,
  }

  it.each(toTracker)('$name', ({ name, text }) => {
    expect(JSON.parse(JSON.stringify(messages[name]))).toEqual(JSON.parse(text))
  })
})
