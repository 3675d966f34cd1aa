import { type RequestKind, requestKind } from './media-types.js'

/** One request that arrived. Filled in while it is answered. */
export interface LoggedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
  readonly kind: RequestKind
  /** The Range header. */
  readonly range: string | null
  /** The User-Agent header, by which a benchmark tells its viewers apart; empty where there is none. */
  readonly agent: string
  /** Unix time in ms. */
  readonly at: number
  /** 0 until headers were sent. */
  status: number
  /** Bytes of the body that were sent. */
  bytes: number
  /** The whole answer was sent. */
  complete: boolean
}

export interface RequestTotals {
  readonly count: number
  readonly bytes: number
}

/** Entries kept; the totals count on beyond them. */
const KEPT_REQUESTS = 50_000

/** What was asked of the origin, and how much it sent. */
export class RequestLog {
  private entries: LoggedRequest[] = []
  private readonly kinds = new Map<RequestKind, { count: number; bytes: number }>()

  /** The requests since the last `reset`, oldest first: the newest 50,000 at least. */
  get list(): readonly LoggedRequest[] {
    return this.entries
  }

  /** Requests and bytes of one kind, or of all kinds. */
  totals(kind?: RequestKind): RequestTotals {
    const counted = kind === undefined ? [...this.kinds.values()] : [this.kinds.get(kind)]
    return {
      count: counted.reduce((sum, totals) => sum + (totals?.count ?? 0), 0),
      bytes: counted.reduce((sum, totals) => sum + (totals?.bytes ?? 0), 0),
    }
  }

  /** Requests and bytes per path, of the kept entries. */
  byPath(): ReadonlyMap<string, RequestTotals> {
    const paths = new Map<string, RequestTotals>()
    for (const { path, bytes } of this.entries) {
      const before = paths.get(path) ?? { count: 0, bytes: 0 }
      paths.set(path, { count: before.count + 1, bytes: before.bytes + bytes })
    }
    return paths
  }

  reset(): void {
    this.entries = []
    this.kinds.clear()
  }

  /** Called by the server when a request arrives. */
  open(request: Pick<LoggedRequest, 'method' | 'path' | 'query' | 'range' | 'agent'>): LoggedRequest {
    const kind = requestKind(request.path)
    const entry = { ...request, kind, at: Date.now(), status: 0, bytes: 0, complete: false }
    this.entries.push(entry)
    if (this.entries.length > KEPT_REQUESTS * 2) this.entries.splice(0, KEPT_REQUESTS)
    this.totalsOf(kind).count += 1
    return entry
  }

  /** Called by the server when bytes of a body were sent. */
  sent(entry: LoggedRequest, bytes: number): void {
    entry.bytes += bytes
    this.totalsOf(entry.kind).bytes += bytes
  }

  private totalsOf(kind: RequestKind): { count: number; bytes: number } {
    const found = this.kinds.get(kind)
    if (found !== undefined) return found
    const totals = { count: 0, bytes: 0 }
    this.kinds.set(kind, totals)
    return totals
  }
}
