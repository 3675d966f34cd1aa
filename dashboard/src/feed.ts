import { DecodeError, type FeedFrame } from '@shoal/protocol'
import { decodeFrame } from './decode.js'

/** A tracker sends its numbers each second. After this long without them, in ms, the connection is dead. */
export const SILENCE_MS = 8_000

/** First and longest pause before another try, in ms: an operator watches, so it stays short. */
export const FIRST_RETRY_MS = 1_000
export const LONGEST_RETRY_MS = 15_000

/** Pauses vary by this share to either side, lest all open pages fall on a restarted tracker at once. */
const JITTER = 0.25

/** Why there is no feed: closed or never opened, open but silent, or sending what cannot be read. */
export type FeedProblem = 'closed' | 'silent' | 'unreadable'

export type FeedState =
  | { readonly type: 'connecting' }
  | { readonly type: 'live' }
  | { readonly type: 'waiting'; readonly retryAt: number; readonly problem: FeedProblem }

/** What the feed needs of the world; `now` and delays are in ms of one clock. */
export interface FeedPorts {
  /** Opens a socket. Calls back until `close` is called; never before it returns. */
  readonly open: (listener: SocketListener) => FeedSocket
  readonly now: () => number
  /** Runs `action` later; the result cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void
  /** 0 to 1. */
  readonly random: () => number
}

export interface FeedSocket {
  readonly close: () => void
}

export interface SocketListener {
  /** One message; null when it was text. */
  readonly message: (bytes: Uint8Array | null) => void
  readonly closed: () => void
}

export interface FeedListener {
  readonly frame: (frame: FeedFrame) => void
  readonly state: (state: FeedState) => void
}

export interface Feed {
  /** Tries at once when waiting; does nothing otherwise. */
  readonly retry: () => void
  readonly close: () => void
}

/** Keeps one connection to the tracker's feed for as long as the page is open. */
export function openFeed(ports: FeedPorts, listener: FeedListener): Feed {
  let failures = 0
  let closed = false
  let waiting = false
  let socket: FeedSocket | null = null
  let cancelTimer = (): void => {}

  const timer = (delayMs: number, action: () => void): void => {
    cancelTimer()
    cancelTimer = ports.after(delayMs, action)
  }

  const connect = (): void => {
    waiting = false
    let live = false
    listener.state({ type: 'connecting' })

    const fail = (problem: FeedProblem): void => {
      if (closed || socket !== own) return
      socket = null
      own.close()
      const delayMs = retryDelay(failures, ports.random())
      failures += 1
      waiting = true
      timer(delayMs, connect)
      listener.state({
        type: 'waiting',
        retryAt: ports.now() + delayMs,
        problem,
      })
    }

    const own = ports.open({
      message: (bytes) => {
        if (closed || socket !== own) return
        const frame = bytes === null ? null : frameOf(bytes)
        if (frame === null) {
          fail('unreadable')
          return
        }
        listener.frame(frame)
        // History comes with every connection; only the seconds after it show that the feed works.
        if (frame.type === 'history') return
        failures = 0
        timer(SILENCE_MS, () => fail('silent'))
        if (live) return
        live = true
        listener.state({ type: 'live' })
      },
      closed: () => fail('closed'),
    })
    socket = own
    timer(SILENCE_MS, () => fail('silent'))
  }

  connect()
  return {
    retry: () => {
      if (closed || !waiting) return
      cancelTimer()
      connect()
    },
    close: () => {
      closed = true
      cancelTimer()
      socket?.close()
      socket = null
    },
  }
}

/** Pause in ms after `failures` tries in a row that brought nothing; `chance` is 0 to 1. */
export function retryDelay(failures: number, chance: number): number {
  const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
  return Math.round(delayMs * (1 - JITTER + 2 * JITTER * chance))
}

function frameOf(bytes: Uint8Array): FeedFrame | null {
  try {
    return decodeFrame(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
