import type { DialAddress, InfoHash } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { createDialMemory, type DialStorage } from './dial-memory.js'

const [A, B] = ['a'.repeat(20) as InfoHash, 'b'.repeat(20) as InfoHash]
const HOUR = 3_600_000

function addressOf(number: number): DialAddress {
  return { host: `203.0.113.${number}`, port: 4_000, fingerprint: Array(32).fill('AB').join(':') }
}

function storageOf(text: string | null = null) {
  const store = { text }
  const storage: DialStorage = {
    getItem: () => store.text,
    setItem: (_key, value) => {
      store.text = value
    },
  }
  return { store, storage: () => storage }
}

describe('the memory of seeders', () => {
  it('tells of a title what worked in the last day, the latest first', () => {
    const { storage } = storageOf()
    let now = 1_000_000
    const memory = createDialMemory(storage, A, () => now)
    memory.worked(addressOf(1))
    now += 12 * HOUR
    memory.worked(addressOf(2))
    expect(createDialMemory(storage, A, () => now).recall()).toEqual([addressOf(2), addressOf(1)])
    expect(createDialMemory(storage, B, () => now).recall()).toEqual([])
    now += 12 * HOUR
    expect(memory.recall()).toEqual([addressOf(2)])
    memory.failed(addressOf(2))
    expect(memory.recall()).toEqual([])
  })

  it('is bounded', () => {
    const { store, storage } = storageOf()
    for (let i = 0; i < 100; i++) createDialMemory(storage, i % 2 ? A : B, () => 0).worked(addressOf(i))
    expect(JSON.parse(store.text ?? '')).toHaveLength(16)
    expect(createDialMemory(storage, A, () => 0).recall()).toEqual(
      [99, 97, 95, 93, 91, 89, 87, 85].map(addressOf),
    )
  })

  it('counts an address once', () => {
    const { store, storage } = storageOf()
    const memory = createDialMemory(storage, A, () => 0)
    for (let i = 0; i < 3; i++) memory.worked(addressOf(1))
    expect(JSON.parse(store.text ?? '')).toHaveLength(1)
  })

  it.each([
    'no JSON',
    '{"a":1}',
    'null',
    '[1, null, "x"]',
    '[[1, 2, 3]]',
    `[["${'61'.repeat(20)}", "http://x", 10]]`,
    `[["${'61'.repeat(20)}", "shoal-dial://x:1/00", 1e300]]`,
  ])('takes nothing from %s', (text) => {
    const memory = createDialMemory(storageOf(text).storage, A, () => 0)
    expect(memory.recall()).toEqual([])
    memory.worked(addressOf(1))
    expect(memory.recall()).toEqual([addressOf(1)])
  })

  it('does without a storage', () => {
    const refused = () => {
      throw new DOMException('no', 'SecurityError')
    }
    for (const storage of [() => undefined, refused, () => ({ getItem: refused, setItem: refused })]) {
      const memory = createDialMemory(storage, A, () => 0)
      memory.worked(addressOf(1))
      memory.failed(addressOf(1))
      expect(memory.recall()).toEqual([])
    }
  })
})
