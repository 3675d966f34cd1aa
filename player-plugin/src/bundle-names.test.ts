import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { exactly, ownNames, readNames } from '../vite-own-names.js'

const { mangled, reserved } = ownNames()

const SOURCE = `
import { a } from './module.js'
export class Thing { #hidden = 1; kept = 'text'; get size() { return 1 } ['computed']() {} }
export interface Shape { readonly wide: number; act(): 'type' }
export const literal = { key: 1, 'quoted key': 2 }
export function f({ taken }: { taken: number }, other: Record<string, number>) { return other.seen + other['by text'] }
`

test('names are told apart by where they stand', () => {
  const names = readNames('thing.ts', SOURCE)
  expect([...names.members]).toEqual(['kept', 'size'])
  expect([...names.typed]).toEqual(['wide', 'act', 'taken'])
  expect([...names.keys]).toEqual(['key'])
  expect([...names.read]).toEqual(['taken', 'seen'])
  expect([...names.texts]).toEqual(['text', 'computed', 'quoted key', 'by text'])
  expect(names.enumerates).toBe(false)
})

test.each(['Object.entries(x)', 'JSON.stringify(x)', 'Reflect.ownKeys(x)', 'for (const k in x) k'])(
  'keys are walked by %s',
  (code) => expect(readNames('x.ts', `declare const x: object; ${code}`).enumerates).toBe(true),
)

test('a file that is no TypeScript is an error that names it', () => {
  expect(() => readNames('broken.ts', 'class {')).toThrow('broken.ts')
})

/** One of each source of names; all of them are names of ours, too. */
test.each([
  ['bufferedAmount', 'lib.dom.d.ts'],
  ['sequence', 'the public API'],
  ['info_hash', 'messages in JSON'],
  ['sig', 'messages in JSON'],
  ['notBefore', 'messages in JSON'],
  ['manifest', 'a text'],
  ['initiator', 'simple-peer'],
  ['saveData', 'types of the browser'],
  ['startSN', 'hls.d.ts'],
])('%s stays, for %s', (name, by) => {
  expect(reserved.get(name)).toBe(by)
  expect(mangled).not.toContain(name)
})

test('nothing that a site may read is shortened, and most of what is ours', () => {
  const api = readFileSync(fileURLToPath(new URL('../api.txt', import.meta.url)), 'utf8')
  const { members, typed } = readNames('api.d.ts', api)
  expect(typed.size).toBeGreaterThan(30)
  expect(mangled.filter((name) => members.has(name) || typed.has(name))).toEqual([])
  expect(mangled.length).toBeGreaterThan(400)
})

test('the pattern takes the names, those that begin with a line, and nothing else', () => {
  const pattern = exactly(['one', 'two$'])
  expect(['one', 'two$', '_x'].every((name) => pattern.test(name))).toBe(true)
  expect(['ones', 'tone', 'two', '_', '_1', 'a_b'].some((name) => pattern.test(name))).toBe(false)
})
