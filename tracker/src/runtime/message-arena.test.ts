import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WireText } from '../wire/wire-text.js'
import { MessageArena } from './message-arena.js'

const part = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes) as WireText)

describe('messages in the arena', () => {
  it('come out whole, each chain in its order, whatever was there before', () => {
    const arena = new MessageArena()
    const heads = fc.constantFrom('same' as WireText, 'other' as WireText, '' as WireText)
    const message = fc.record({ chain: fc.nat(3), head: fc.oneof(heads, part), body: part, tail: part })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        const last = [-1, -1, -1, -1]
        const expected: string[][] = [[], [], [], []]
        for (const { chain, head, body, tail } of messages) {
          last[chain] = arena.add(head, body, tail, last[chain] ?? -1)
          expected[chain]?.push(head + body + tail)
        }
        for (const [chain, texts] of expected.entries()) {
          const bytes = arena.chain(last[chain] ?? -1)
          expect(bytes.map((each) => Buffer.from(each).toString('latin1'))).toEqual(texts)
        }
        arena.clear()
      }),
    )
  })

  it('have no room when the bytes or the numbers are used up', () => {
    const arena = new MessageArena()
    const text = 'x'.repeat(1024 * 1024) as WireText
    const none = '' as WireText
    for (let i = 0; i < 4; i++) {
      expect(arena.hasRoom(text.length)).toBe(true)
      arena.add(text, none, none, -1)
    }
    expect(arena.hasRoom(1)).toBe(false)
    arena.clear()
    for (let i = 0; i < 32 * 1024; i++) arena.add(none, none, none, -1)
    expect(arena.hasRoom(0)).toBe(false)
  })
})
