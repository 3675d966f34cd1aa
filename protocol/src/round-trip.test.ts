import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carriedMessages, manifest } from '../test/arbitraries.js'
import { decodeManifest, decodeMessage } from './decode.js'
import { encodeMessage, HAVE_HEADER_BYTES, haveEntryBytes, manifestBytes } from './encode.js'
import { MAX_CONTROL_MESSAGE_BYTES, MAX_LOSSY_MESSAGE_BYTES } from './limits.js'
import type { Have, Request } from './messages.js'
import type { TrackId } from './units.js'
import { NO_DEADLINE_MS } from './wire-values.js'

describe('every valid message comes back as it was', () => {
  it.each(Object.entries(carriedMessages))('%s', (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ({ message, channel }) => {
        const bytes = encodeMessage(message)
        const limit = channel === 'lossy' ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES
        expect(bytes.byteLength).toBeLessThanOrEqual(limit)
        expect(decodeMessage(bytes, channel)).toEqual(message)
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  it('stored manifests', () => {
    fc.assert(
      fc.property(manifest, (stored) => {
        expect(decodeManifest(manifestBytes(stored))).toEqual(stored)
      }),
      { numRuns: 200, seed: 2 },
    )
  })

  it('a Have is as long as its header and entries say', () => {
    fc.assert(
      fc.property(carriedMessages['have on lossy'], ({ message }) => {
        const { entries } = message as Have
        const size = entries.reduce((sum, entry) => sum + haveEntryBytes(entry), HAVE_HEADER_BYTES)
        expect(encodeMessage(message).byteLength).toBe(size)
      }),
      { numRuns: 100, seed: 3 },
    )
  })
})

describe('times out of range are brought into it', () => {
  const cases = [
    [-Infinity, 0],
    [-1, 0],
    [-0.5, 0],
    [0.9, 0],
    [1234.9, 1234],
    [65_534.9, 65_534],
    [65_535, 65_535],
    [65_536, 65_535],
    [1e9, 65_535],
    [Infinity, 65_535],
  ] as const

  it.each(cases)('backlog of %d ms: %d', (backlogMs, expected) => {
    const have: Have = { type: 'have', swarmTag: 1, serial: 1, summary: false, backlogMs, entries: [] }
    expect(decodeMessage(encodeMessage(have), 'lossy')).toEqual({ ...have, backlogMs: expected })
  })

  it.each(cases)('deadline of %d ms: %d', (deadlineMs, expected) => {
    const request: Request = {
      type: 'request',
      swarmTag: 1,
      requestId: 1,
      segment: { track: 1 as TrackId, sequence: 1, part: null },
      piece: 0,
      deadlineMs,
      chunks: [{ start: 0, end: 1 }],
    }
    expect(decodeMessage(encodeMessage(request), 'lossy')).toEqual({ ...request, deadlineMs: expected })
  })

  it('the longest deadline is none', () => {
    expect(NO_DEADLINE_MS).toBe(65_535)
  })
})
