/** Bytes of segments that were played, and what the edge served for them. */
export interface Account {
  playedBytes: number
  edgeBytes: number
  edgeRequests: number
}

/** One finished load of one viewer: a line of a trace. Times in milliseconds. */
export interface LoadTrace {
  readonly viewer: number
  readonly sequence: number
  readonly startup: boolean
  /** From publication (VOD: from the viewer's joining) to being asked for, and to being complete. */
  readonly askedMs: number
  readonly doneMs: number
  /** From publication to the edge's being asked first; null where it was not. */
  readonly edgeAskedMs: number | null
  readonly edgeRequests: number
  readonly edgeBytes: number
  readonly peerBytes: number
  /** Time left to the deadline when it was complete. */
  readonly slackMs: number
}

/** Books of a run: by start-up and steady state, and by segment. */
export class Ledger {
  readonly startup: Account = emptyAccount()
  readonly steady: Account = emptyAccount()
  /** Of steady state only. */
  readonly bySegment = new Map<number, Account>()
  readonly slacks: number[] = []
  pollutedBytes = 0
  /** Bytes that the edge served to be compared with what peers sent; in no account. */
  checkBytes = 0
  readonly onLoad: ((trace: LoadTrace) => void) | undefined

  constructor(onLoad: ((trace: LoadTrace) => void) | undefined) {
    this.onLoad = onLoad
  }

  /** A load is over; `playedBytes` is 0 where the viewer left before. */
  enter(startup: boolean, sequence: number, entry: Account): void {
    add(startup ? this.startup : this.steady, entry)
    if (startup) return
    let account = this.bySegment.get(sequence)
    if (account === undefined) {
      account = emptyAccount()
      this.bySegment.set(sequence, account)
    }
    add(account, entry)
  }
}

export function emptyAccount(): Account {
  return { playedBytes: 0, edgeBytes: 0, edgeRequests: 0 }
}

function add(account: Account, entry: Account): void {
  account.playedBytes += entry.playedBytes
  account.edgeBytes += entry.edgeBytes
  account.edgeRequests += entry.edgeRequests
}
