import type { Page } from 'playwright-core'
import { EmulatedPath, PATH_HOST } from './multisource-path.js'

/** Chromium's own addresses in candidates: a relay needs their ports, and mDNS names would hide them. */
export const PATH_ARGS = ['--disable-features=WebRtcHideLocalIpsWithMdns']

/** The path between viewers, where a scenario has one: a relay in a thread, which page/path.js leads to. */
export class ViewersPath {
  readonly #path = new EmulatedPath()
  /** By the port of an end. */
  readonly #mirrors = new Map<number, Promise<number>>()

  constructor({ roundTripMs, loss }: { readonly roundTripMs: number; readonly loss: number }) {
    this.#path.setDelay(roundTripMs / 2)
    this.#path.setLoss(loss)
  }

  /** Leads a page's connections over the path; before the page is loaded. */
  async lead(page: Page): Promise<void> {
    await page.exposeFunction('mirrorPort', (port: number) => {
      const known = this.#mirrors.get(port)
      if (known !== undefined) return known
      const mirror = this.#ask(port)
      this.#mirrors.set(port, mirror)
      return mirror
    })
  }

  /** Share of the packets that came more than 5 ms late, or not because too many waited: the machine's doing. */
  async lateShare(): Promise<number> {
    const { lateShare, overflowed, forwarded } = await this.#path.read()
    return lateShare + overflowed / Math.max(1, forwarded)
  }

  close(): Promise<void> {
    return this.#path.close()
  }

  async #ask(port: number): Promise<number> {
    const candidate = `candidate:1 1 udp 1 ${PATH_HOST} ${port} typ host`
    const signal = await this.#path.through({ kind: 'candidate', candidate, sdpMid: '0', sdpMLineIndex: 0 })
    if (signal?.kind !== 'candidate') throw new Error(`no mirror of port ${port}`)
    return Number(signal.candidate.split(' ')[5])
  }
}
