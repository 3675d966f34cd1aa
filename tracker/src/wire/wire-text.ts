/**
 * UTF-8 as a string: each character is one byte, U+0000 to U+00FF.
 *
 * Texts are put together as strings and go out as bytes. Every message holds ids, of which half the
 * characters are above U+007F, and encoding such a string as UTF-8 takes ten times as long as copying
 * one that is encoded already.
 */
export type WireText = string & { readonly __brand: 'WireText' }

/** UTF-8 of any text; lone surrogates become U+FFFD. */
export function wireText(text: string): WireText {
  return Buffer.from(text, 'utf8').toString('latin1') as WireText
}

/** Each character of a binary string as it stands inside a JSON string. */
const IN_JSON = Array.from({ length: 256 }, (_, code) =>
  Buffer.from(JSON.stringify(String.fromCharCode(code)).slice(1, -1), 'utf8'),
)

/** Characters that stand for themselves in JSON and in UTF-8. */
const PLAIN = IN_JSON.map((bytes) => bytes.length === 1)

/** Room for 20 characters of six bytes each (`\u0001`), and the quotes. */
const buffer = Buffer.alloc(122)

/** The JSON string of an id or hash: 20 characters from U+0000 to U+00FF. */
export function idJson(id: string): WireText {
  let at = 0
  buffer[at++] = 0x22
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (PLAIN[code]) {
      buffer[at++] = code
      continue
    }
    for (const byte of IN_JSON[code] ?? []) buffer[at++] = byte
  }
  buffer[at++] = 0x22
  return buffer.toString('latin1', 0, at) as WireText
}
