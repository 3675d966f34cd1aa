import { forEachDot, textSize } from './bitmap-font.js'

/** Luma and chroma, each 0 to 255 (BT.601, video range). */
export type Yuv = readonly [y: number, u: number, v: number]

const WHITE: Yuv = [235, 128, 128]
const INK: Yuv = [28, 140, 118]

/** One planar 4:2:0 picture, as ffmpeg's `yuv420p` rawvideo wants it. Width and height are even. */
export class Canvas {
  readonly bytes: Uint8Array
  readonly y: Uint8Array
  readonly u: Uint8Array
  readonly v: Uint8Array

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    const luma = width * height
    this.bytes = new Uint8Array(luma + luma / 2)
    this.y = this.bytes.subarray(0, luma)
    this.u = this.bytes.subarray(luma, luma + luma / 4)
    this.v = this.bytes.subarray(luma + luma / 4)
  }

  /** Fills all of it with the labels' background. */
  clear(): void {
    this.rectangle(0, 0, this.width, this.height, INK)
  }

  rectangle(left: number, top: number, width: number, height: number, colour: Yuv): void {
    const right = Math.min(this.width, Math.round(left + width))
    const bottom = Math.min(this.height, Math.round(top + height))
    const from = Math.max(0, Math.round(left))
    if (right <= from) return
    for (let row = Math.max(0, Math.round(top)); row < bottom; row += 1) this.span(row, from, right, colour)
  }

  ellipse(cx: number, cy: number, rx: number, ry: number, colour: Yuv): void {
    for (let row = Math.ceil(cy - ry); row <= cy + ry; row += 1) {
      const half = rx * Math.sqrt(Math.max(0, 1 - ((row - cy) / ry) ** 2))
      this.span(row, Math.round(cx - half), Math.round(cx + half), colour)
    }
  }

  text(text: string, left: number, top: number, scale: number, colour: Yuv): void {
    forEachDot(text, scale, (x, y) => this.rectangle(left + x, top + y, scale, scale, colour))
  }

  /** Text on a plate with a margin of two dots; `left` and `top` are the plate's. */
  label(text: string, left: number, top: number, scale: number): void {
    const size = textSize(text, scale)
    const margin = 2 * scale
    this.rectangle(left, top, size.width + 2 * margin, size.height + 2 * margin, INK)
    this.text(text, left + margin, top + margin, scale, WHITE)
  }

  /** Columns `from` up to but not including `to` of one row; what lies outside is clipped. */
  private span(row: number, from: number, to: number, [y, u, v]: Yuv): void {
    if (row < 0 || row >= this.height) return
    const start = Math.max(0, from)
    const end = Math.min(this.width, to)
    if (end <= start) return
    this.y.fill(y, row * this.width + start, row * this.width + end)
    if (row % 2 !== 0) return
    const chromaRow = (row / 2) * (this.width / 2)
    this.u.fill(u, chromaRow + (start >> 1), chromaRow + ((end + 1) >> 1))
    this.v.fill(v, chromaRow + (start >> 1), chromaRow + ((end + 1) >> 1))
  }
}
