/**
 * Readies a playlist's text for the parser: what does not bear on which segments there are is left
 * out, and what the parser trips over is put differently.
 *
 * hls-parser 0.16 throws a URIError over an EXTINF title with characters beyond ASCII, reads an
 * apostrophe inside a quoted string as an opening quote, and loses a byte range without offset where
 * it is the first.
 */

/** Tags that say what there is to fetch, and under which identity. */
const KEPT_TAGS = new Set([
  'EXTM3U',
  'EXT-X-STREAM-INF',
  'EXT-X-MEDIA',
  'EXT-X-DEFINE',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-MAP',
  'EXT-X-GAP',
  'EXT-X-BYTERANGE',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXTINF',
])

/** Stands for an apostrophe inside tags while the parser has the text: a private-use character. */
const APOSTROPHE = '\uE027'

/** True where the text begins as every playlist must (RFC 8216 section 4.3.1.1). */
export function looksLikePlaylist(text: string): boolean {
  return /^\uFEFF?#EXTM3U(?:\s|$)/.test(text)
}

/** The text to hand to the parser. `restoreText` undoes it on strings that the parser hands out. */
export function parserText(text: string): string {
  const lines: string[] = []
  let ranged = false
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    const line = raw.trim()
    if (line === '' || (line.startsWith('#') && !line.startsWith('#EXT'))) continue
    if (!line.startsWith('#')) {
      lines.push(line)
      continue
    }
    const tag = /^#([A-Z0-9-]+)/.exec(line)?.[1] ?? ''
    if (!KEPT_TAGS.has(tag)) continue
    if (tag === 'EXTINF') {
      lines.push(line.replace(/,.*$/, '').concat(','))
    } else if (tag === 'EXT-X-BYTERANGE') {
      lines.push(ranged || line.includes('@') ? line : `${line}@0`)
      ranged = true
    } else {
      lines.push(line.replaceAll("'", APOSTROPHE))
    }
  }
  return lines.join('\n')
}

export function restoreText(text: string): string {
  return text.replaceAll(APOSTROPHE, "'")
}

/** Attribute lists of all tags of one name, without the name: `#EXT-X-MEDIA:` and so on. */
export function attributeLists(text: string, tag: string): string[] {
  const prefix = `#${tag}:`
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length))
}

/**
 * Replaces variable references `{$NAME}` (RFC 8216bis section 4.3). An unknown name stays as it is:
 * the URL then fails at the origin, which says more than a guess would.
 */
export function substituteVariables(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(
    /\{\$([A-Za-z0-9_-]+)\}/g,
    (reference, name: string) => variables.get(name) ?? reference,
  )
}
