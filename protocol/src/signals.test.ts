import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { readVectors } from '../test/vectors.js'
import { MAX_CANDIDATE_CHARS, MAX_SDP_CHARS } from './limits.js'
import type { IceCandidate, SessionDescription } from './signals.js'
import { readCandidate, readDescription } from './signals.js'

interface Descriptions {
  readonly accepted: readonly { readonly name: string; readonly description: SessionDescription }[]
  readonly rejected: readonly { readonly name: string; readonly description: unknown }[]
}
interface Candidates {
  readonly accepted: readonly { readonly name: string; readonly candidate: IceCandidate }[]
  readonly rejected: readonly { readonly name: string; readonly candidate: unknown }[]
}

describe('readDescription', () => {
  const { accepted, rejected } = readVectors<Descriptions>('descriptions')
  it.each(accepted)('takes: $name', ({ description }) => {
    expect(readDescription(description)).toEqual(description)
  })
  it.each(rejected)('refuses: $name', ({ description }) => {
    expect(decodeErrorCode(() => readDescription(description))).toBe('bad-sdp')
  })
})

describe('readCandidate', () => {
  const { accepted, rejected } = readVectors<Candidates>('candidates')
  it.each(accepted)('takes: $name', ({ candidate }) => {
    expect(readCandidate({ ...candidate, usernameFragment: 'abcd' })).toEqual(candidate)
  })
  it.each(rejected)('refuses: $name', ({ candidate }) => {
    expect(decodeErrorCode(() => readCandidate(candidate))).toBe('bad-candidate')
  })
  it('takes absent fields for null', () => {
    const candidate = 'candidate:1 1 udp 1 192.0.2.1 1 typ host'
    expect(readCandidate({ candidate, sdpMid: '0' })).toEqual({ candidate, sdpMid: '0', sdpMLineIndex: null })
  })
})

/**
 * A pattern that tries every split of a run takes longer than the age of the universe on these, and a
 * quadratic one minutes for all rounds; a linear one milliseconds.
 */
describe('texts made to make patterns backtrack', () => {
  const rounds = 100
  const runs = ['a', '0', ':', '::', '0:', '.', '1.', ' ', 'a ', 'ab cd ', '-', '+', 'candidate:', '1 ']

  it.each(runs)('candidates of "%s"', { timeout: 5_000 }, (run) => {
    const head = 'candidate:1 1 udp 1 '
    for (let i = 0; i < rounds; i++) {
      for (const prefix of ['', 'candidate:', head, `${head}192.0.2.1 1 typ host `]) {
        const candidate = `${(prefix + run.repeat(MAX_CANDIDATE_CHARS)).slice(0, MAX_CANDIDATE_CHARS - 1)}\u0001`
        expect(decodeErrorCode(() => readCandidate({ candidate, sdpMid: '0' }))).toBe('bad-candidate')
      }
    }
  })

  it.each([...runs, 'AA:', '\r', '\n', '\r\n', 'a=b\r\n', 'm=', 'a=candidate:'])(
    'descriptions of "%s"',
    { timeout: 10_000 },
    (run) => {
      for (let i = 0; i < rounds; i++) {
        for (const prefix of ['', 'v=0\r\n', 'v=0\r\na=fingerprint:sha-256 ', 'v=0\r\nm=application ']) {
          const sdp = `${(prefix + run.repeat(MAX_SDP_CHARS)).slice(0, MAX_SDP_CHARS - 1)}\u0001`
          expect(decodeErrorCode(() => readDescription({ type: 'offer', sdp }))).toBe('bad-sdp')
        }
      }
    },
  )
})
