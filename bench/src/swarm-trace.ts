import { segmentRequests } from './swarm-requests.js'
import type { RowRun } from './swarm-run.js'

/**
 * Every request of a segment as a line of JSON: who asked the origin, when, and what that viewer knew.
 * Times in ms. `afterPublication` is null on demand; `askedBefore`: the player wanted the segment so long
 * before; `left`: until the playhead would be there; `first`: since the segment's first request by anybody.
 */
export function traceLines(run: RowRun): string {
  const firsts = new Map<number, number>()
  const requests = [...segmentRequests(run)].sort((a, b) => a.at - b.at)
  const lines = requests.map((request) => {
    const { sequence, viewer, at, range, status, bytes, startup } = request
    const first = firsts.get(sequence) ?? at
    firsts.set(sequence, first)
    const load = viewer === null ? undefined : lastLoad(run, viewer, sequence, at)
    return JSON.stringify({
      row: run.row.name,
      ...{ sequence, viewer, startup, status, range, bytes },
      afterPublication: run.clock === null ? null : round(at - run.clock.publishedAt(sequence)),
      joined: viewer === null ? null : round(at - (run.viewers[viewer]?.startedAt ?? at)),
      first: at - first,
      askedBefore: load === undefined ? null : round(at - load.askedAt),
      left: load === undefined ? null : round(load.askedAt + load.untilMs - at),
      ahead: load?.ahead ?? null,
      links: load?.links ?? null,
      loaded: load?.loadedAt == null ? null : round(load.loadedAt - at),
    })
  })
  return lines.map((line) => `${line}\n`).join('')
}

/** The player's latest load of the segment that had begun by `at`. */
function lastLoad({ viewers }: RowRun, viewer: number, sequence: number, at: number) {
  // The origin's clock and the page's differ by less than this.
  const slackMs = 5
  return viewers[viewer]?.fragments.findLast(
    (load) => load.sequence === sequence && load.askedAt <= at + slackMs,
  )
}

function round(ms: number): number {
  return Math.round(ms)
}
