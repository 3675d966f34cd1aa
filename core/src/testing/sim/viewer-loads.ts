import { type Millis, millis } from '@shoal/protocol'
import type { OriginFetcher } from '../../ports/origin.js'
import type { Swarm } from '../../runtime/swarm-api.js'
import { segmentOf } from './content.js'
import type { EdgeClient, HttpEdge } from './edge.js'
import { type Account, emptyAccount } from './ledger.js'
import type { LoadSegment, SegmentLoad } from './player.js'
import { partsPerSegmentOf, unitSecondsOf } from './sim-options.js'
import type { SimWorld } from './sim-world.js'
import type { SkewedClock } from './skewed-clock.js'

/** Number of a segment's first check among its requests; loads come before. */
const FIRST_CHECK = 1_000

/** hls.js's wait before the first retry of a failed load, and the longest, in milliseconds. */
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 8_000

function retryDelay(failures: number): Millis {
  return millis(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures))
}

/** How the HTTP-only twin loads: from the edge, as hls.js does by itself. */
export function twinLoads(world: SimWorld, client: EdgeClient): LoadSegment {
  return ({ sequence }, done) => {
    let cancel = (): void => undefined
    const attempt = (number: number): void => {
      cancel = world.twinEdge.fetch(
        { client, sequence, attempt: number, span: null },
        {
          onResponse: () => undefined,
          onData: () => undefined,
          onDone: done,
          onError: () => {
            cancel = world.clock.setTimer(retryDelay(number), () => attempt(number + 1))
          },
        },
      )
    }
    attempt(0)
    return () => cancel()
  }
}

/** How a member of the swarm loads: through its swarm, which has `own` clock, as the plugin makes hls.js do. */
export function swarmLoads(
  world: SimWorld,
  { client, honest }: { readonly client: EdgeClient; readonly honest: boolean },
  swarm: Swarm,
  own: SkewedClock,
): LoadSegment {
  const { clock, ledger, settling, content, options } = world
  const partsPerSegment = partsPerSegmentOf(options)
  return (load, done) => {
    const { sequence, deadline, live, startup } = load
    const entry = emptyAccount()
    const asked = clock.now()
    const origin = new CountedOrigin(world, client, sequence, entry)
    let cancel = (): void => undefined
    let ended = false
    const end = (): void => {
      ended = true
      ledger.enter(startup, sequence, entry)
    }
    const attempt = (failures: number): void => {
      settling.mark()
      const fetch = swarm.fetch(
        {
          segment: segmentOf(sequence, partsPerSegment),
          range: null,
          deadline: own.at(Math.max(deadline, clock.now())),
          duration: millis(unitSecondsOf(options) * 1000),
          live,
        },
        origin,
        {
          onProgress: () => undefined,
          onDone: ({ bytes, sources }) => {
            entry.playedBytes = bytes.length
            if (honest) ledger.pollutedBytes += content.wrongBytes(sequence, bytes)
            end()
            if (!startup) ledger.slacks.push(deadline - clock.now())
            const { firstAskedAt } = origin
            traceLoad(world, client.viewer, load, entry, asked, firstAskedAt, sources.peers)
            done()
          },
          onError: () => {
            cancel = clock.setTimer(retryDelay(failures), () => attempt(failures + 1))
          },
        },
      )
      cancel = () => fetch.cancel()
    }
    attempt(0)
    return () => {
      cancel()
      if (!ended) end()
    }
  }
}

function traceLoad(
  world: SimWorld,
  viewer: number,
  { sequence, deadline, live, startup }: SegmentLoad,
  entry: Account,
  asked: number,
  edgeAsked: number | null,
  peerBytes: number,
): void {
  const { ledger, clock } = world
  if (ledger.onLoad === undefined) return
  const origin = live ? world.publishedAt(sequence) : 0
  const { edgeBytes, edgeRequests } = entry
  ledger.onLoad({
    viewer,
    sequence,
    startup,
    askedMs: asked - origin,
    doneMs: clock.now() - origin,
    edgeAskedMs: edgeAsked === null ? null : edgeAsked - origin,
    edgeRequests,
    edgeBytes,
    peerBytes,
    slackMs: deadline - clock.now(),
  })
}

/** A viewer's way to one segment at the edge; counts what comes. */
class CountedOrigin implements OriginFetcher {
  private readonly edge: HttpEdge
  private readonly client: EdgeClient
  private readonly sequence: number
  private readonly entry: Account
  private readonly now: () => number
  private attempts = 0
  private checks = 0
  private readonly checked: (bytes: number) => void
  firstAskedAt: number | null = null

  constructor({ edge, clock, ledger }: SimWorld, client: EdgeClient, sequence: number, entry: Account) {
    this.edge = edge
    this.client = client
    this.sequence = sequence
    this.entry = entry
    this.now = () => clock.now()
    this.checked = (bytes) => {
      ledger.checkBytes += bytes
    }
  }

  /** Bytes of checks are in books of their own. */
  readonly check: NonNullable<OriginFetcher['check']> = (span, events) => {
    const { client, sequence } = this
    // Draws of their own: those of the loads stay the twin's.
    const request = { client, sequence, attempt: FIRST_CHECK + this.checks++, span }
    return this.edge.fetch(request, {
      ...events,
      onData: (offset, bytes) => {
        this.checked(bytes.length)
        events.onData(offset, bytes)
      },
    })
  }

  readonly fetch: OriginFetcher['fetch'] = (span, events) => {
    this.entry.edgeRequests++
    this.firstAskedAt ??= this.now()
    const { client, sequence, entry } = this
    return this.edge.fetch(
      { client, sequence, attempt: this.attempts++, span },
      {
        onResponse: (total) => events.onResponse(total),
        onData: (offset, bytes) => {
          entry.edgeBytes += bytes.length
          events.onData(offset, bytes)
        },
        onDone: () => events.onDone(),
        onError: (error) => events.onError(error),
      },
    )
  }
}
