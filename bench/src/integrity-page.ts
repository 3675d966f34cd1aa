import type { Part } from './integrity-parts.js'
import { IntegrityWork } from './integrity-work.js'

/** Runs in the page, told what to do by `integrity-bench.ts`. */

declare global {
  interface Window {
    integrity: {
      prepare(): Promise<void>
      run(part: Part, segments: number): Promise<void>
    }
  }
}

let work: IntegrityWork | null = null

window.integrity = {
  async prepare() {
    work = await IntegrityWork.prepare(window.crypto)
  },
  async run(part, segments) {
    await work?.run(part, segments)
  },
}
