/**
 * A 5 x 7 font for what is burnt into the picture. Built in, so that a machine without fonts (and an
 * ffmpeg without font support) makes the same pictures.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  '0': '01110 10001 10011 10101 11001 10001 01110',
  '1': '00100 01100 00100 00100 00100 00100 01110',
  '2': '01110 10001 00001 00110 01000 10000 11111',
  '3': '11110 00001 00001 01110 00001 00001 11110',
  '4': '00010 00110 01010 10010 11111 00010 00010',
  '5': '11111 10000 11110 00001 00001 10001 01110',
  '6': '00110 01000 10000 11110 10001 10001 01110',
  '7': '11111 00001 00010 00100 01000 01000 01000',
  '8': '01110 10001 10001 01110 10001 10001 01110',
  '9': '01110 10001 10001 01111 00001 00010 01100',
  ':': '00000 00100 00100 00000 00100 00100 00000',
  '.': '00000 00000 00000 00000 00000 01100 01100',
  ' ': '00000 00000 00000 00000 00000 00000 00000',
  x: '00000 00000 10001 01010 00100 01010 10001',
  p: '00000 00000 11110 10001 11110 10000 10000',
  A: '01110 10001 10001 11111 10001 10001 10001',
  B: '11110 10001 10001 11110 10001 10001 11110',
  E: '11111 10000 10000 11110 10000 10000 11111',
  G: '01110 10001 10000 10111 10001 10001 01110',
  M: '10001 11011 10101 10101 10001 10001 10001',
  N: '10001 11001 10101 10011 10001 10001 10001',
  S: '01111 10000 10000 01110 00001 00001 11110',
  T: '11111 00100 00100 00100 00100 00100 00100',
}

const GLYPH_WIDTH = 5
const GLYPH_HEIGHT = 7
/** One empty column between glyphs. */
const ADVANCE = GLYPH_WIDTH + 1

/** Size of a line of text in pixels, with one dot drawn as `scale` x `scale` pixels. */
export function textSize(text: string, scale: number): { readonly width: number; readonly height: number } {
  return { width: Math.max(0, text.length * ADVANCE - 1) * scale, height: GLYPH_HEIGHT * scale }
}

/** Calls `dot` with the top left corner of every dot that is set; a character without a glyph is a blank. */
export function forEachDot(text: string, scale: number, dot: (x: number, y: number) => void): void {
  for (const [index, character] of [...text].entries()) {
    const rows = GLYPHS[character]?.split(' ') ?? []
    for (const [row, bits] of rows.entries()) {
      for (let column = 0; column < GLYPH_WIDTH; column += 1) {
        if (bits[column] === '1') dot((index * ADVANCE + column) * scale, row * scale)
      }
    }
  }
}
