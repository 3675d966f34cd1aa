import type { SeededRandom } from './random.js'

/** Characters that mean something to JSON, SDP or a candidate line, and some that must not pass. */
const CHARACTERS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  ' ',
  '\r',
  '\n',
  '\0',
  '0',
  '9',
  '-',
  '.',
  'a',
  'é',
  '\ud800',
]
/** Values that a field was not meant to have. */
const JSON_VALUES = [
  'null',
  'true',
  '{}',
  '[]',
  '[null]',
  '""',
  '-1',
  '0',
  '1e999',
  '1e-9',
  '"__proto__"',
  '65536',
]

/** A copy of `text` with one to three small changes. */
export function mutateText(random: SeededRandom, text: string, fragments: readonly string[]): string {
  let changed = text
  for (let n = random.below(3); n >= 0; n--) changed = mutateOnce(random, changed, fragments)
  return changed
}

function mutateOnce(random: SeededRandom, text: string, fragments: readonly string[]): string {
  const at = random.below(text.length + 1)
  const length = random.below(random.below(4) === 0 ? 200 : 4)
  const before = text.slice(0, at)
  const after = text.slice(at + length)
  switch (random.below(5)) {
    case 0:
      return before + after
    case 1:
      return before + random.pick(CHARACTERS) + after
    case 2:
      return before + random.pick(fragments) + text.slice(at)
    case 3:
      return before + text.slice(at, at + length).repeat(1 + random.below(5)) + after
    default:
      return before + String.fromCharCode(random.below(0x180)) + text.slice(at + 1)
  }
}

/** A copy of JSON text with the value of one of its keys replaced by one of another kind. */
export function mutateJson(random: SeededRandom, text: string): string {
  const keys = [...text.matchAll(/"[a-zA-Z_ ]+":/g)]
  if (keys.length === 0) return random.pick(JSON_VALUES)
  const key = random.pick(keys)
  const start = key.index + key[0].length
  const value = /^(?:"(?:[^"\\]|\\.)*"|[^,}\]]*)/.exec(text.slice(start))?.[0] ?? ''
  return text.slice(0, start) + random.pick(JSON_VALUES) + text.slice(start + value.length)
}
