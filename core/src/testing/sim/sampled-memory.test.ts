import { CHUNK_BYTES, DATA_HEADER_BYTES, decodeMessage, encodeMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import * as memory from '../../engine/memory.js'
import { segmentOf } from './content.js'
import * as sampledData from './sampled-data.js'
import * as sampled from './sampled-memory.js'

const DATA = { type: 'data', swarmTag: 0xfedcba98, requestId: 0x89abcdef, chunk: 56, serial: 65_535 } as const

describe('memory of samples', () => {
  it('takes the place of all that the engine’s memory does', () => {
    expect(Object.keys(sampled)).toEqual(expect.arrayContaining(Object.keys(memory)))
  })

  it('keeps the first byte of each chunk of many pieces apart', () => {
    const pieces = Array.from({ length: 2_500 }, () => sampled.pieceMemory(3 * CHUNK_BYTES))
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (const [index, piece] of pieces.entries()) {
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
        chunk[0] = index + at
        sampled.putInPiece(piece, chunk, at)
      }
    }
    for (const [index, piece] of pieces.entries()) {
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) expect(piece[at]).toBe((index + at) & 0xff)
    }
  })

  it('gives every viewer the title’s own bytes, and takes no others for them', () => {
    const content = Uint8Array.from({ length: 3 * CHUNK_BYTES }, (_, index) => index % 251)
    sampled.shareContent(({ sequence }) => (sequence === 7 ? content : null))
    const segment = sampled.segmentMemory(segmentOf(7, null), content.length)
    expect(segment).toBe(content)
    expect(sampled.segmentMemory(segmentOf(8, null), 100)).toEqual(new Uint8Array(100))
    sampled.putInSegment(segment, content.slice(CHUNK_BYTES), CHUNK_BYTES)
    const wrong = content.slice(CHUNK_BYTES)
    wrong[CHUNK_BYTES] = (wrong[CHUNK_BYTES] ?? 0) ^ 1
    expect(() => sampled.putInSegment(segment, wrong, CHUNK_BYTES)).toThrow('wrong bytes')
  })

  it('sends messages whose header and first byte are those of the real ones', () => {
    const payload = Uint8Array.from({ length: CHUNK_BYTES }, (_, index) => index + 1)
    const bytes = sampledData.encodeData({ ...DATA, payload })
    // The next message takes the room of what is not looked at.
    sampledData.encodeData({ ...DATA, payload, serial: 1 })
    const real = encodeMessage({ ...DATA, payload })
    expect(bytes.byteLength).toBe(real.byteLength)
    expect(bytes.subarray(0, DATA_HEADER_BYTES + 1)).toEqual(real.subarray(0, DATA_HEADER_BYTES + 1))
    expect(decodeMessage(bytes, 'lossy')).toMatchObject(DATA)
  })
})
