/** A program that plays, by its name in bench/page/swarm-players.js. */
export type PlayerName = 'hls.js' | 'shoal' | 'p2p-media-loader' | 'swarmcloud'

/** One way to deliver the stream. Each gets a fresh browser, origin and tracker. */
export interface Row {
  readonly name: string
  readonly title: string
  /** One that is compared with is added in bench/page/swarm-players.js. */
  readonly player: PlayerName
  readonly tracker: 'shoal' | 'bittorrent-tracker' | null
  readonly seeder: boolean
  /** Whether the origin's uplink is limited where the scenario or the command line says so. */
  readonly limited: boolean
  /** hls.js's own settings; what is not named has its default. */
  readonly hls: Readonly<Record<string, unknown>>
  /** The program's; what is not named has its default. */
  readonly p2p: Readonly<Record<string, unknown>>
  /** Whether the browser finds no host but this machine. */
  readonly offline: boolean
  /** Runs where the command line names no rows. */
  readonly usual: boolean
}

/** The control. */
export const PLAIN: Row = {
  name: 'hls.js',
  title: 'hls.js (control)',
  player: 'hls.js',
  ...{ tracker: null, seeder: false, limited: true, hls: {}, p2p: {}, offline: false, usual: true },
}
const SHOAL: Row = { ...PLAIN, name: 'shoal', title: 'Shoal, no seeder', player: 'shoal', tracker: 'shoal' }
const P2PML: Row = {
  ...PLAIN,
  name: 'p2p-media-loader',
  title: 'p2p-media-loader with its defaults',
  player: 'p2p-media-loader',
  tracker: 'shoal',
}
/** Three target durations behind the edge, as hls.js and Shoal play; the window has to fit into that. */
const P2PML_LIVE3: Row = {
  ...P2PML,
  name: 'p2p-media-loader-live3',
  title: 'p2p-media-loader, liveSyncDurationCount 3, highDemandTimeWindow 4',
  hls: { liveSyncDurationCount: 3 },
  p2p: { highDemandTimeWindow: 4 },
}

export const SHOAL_SEEDER: Row = {
  ...SHOAL,
  name: 'shoal+seeder',
  title: 'Shoal with a seeder',
  seeder: true,
}

export const ROWS: readonly Row[] = [
  {
    ...PLAIN,
    name: 'hls.js-unlimited',
    title: 'hls.js, origin without a limit (what the machine can do)',
    limited: false,
    usual: false,
  },
  PLAIN,
  withoutWorker(PLAIN),
  SHOAL,
  withoutWorker(SHOAL),
  throughOther(SHOAL),
  SHOAL_SEEDER,
  P2PML,
  withoutWorker(P2PML, true),
  throughOther(withoutWorker(P2PML)),
  P2PML_LIVE3,
  withoutWorker(P2PML_LIVE3, true),
  throughOther(withoutWorker(P2PML_LIVE3)),
  {
    ...PLAIN,
    name: 'swarmcloud',
    title: "swarmcloud-hls with its defaults, its vendor's service out of reach",
    player: 'swarmcloud',
    offline: true,
    usual: false,
  },
]

function withoutWorker(row: Row, usual = false): Row {
  const hls = { ...row.hls, enableWorker: false }
  return { ...row, name: `${row.name}-no-worker`, title: `${row.title}, no worker`, hls, usual }
}

/**
 * The other program as it does best beside hls.js and Shoal, the first of these that ran: at their latency,
 * without the worker that takes its buffers.
 */
export const RIVALS_AT_THEIR_BEST: readonly string[] = [
  withoutWorker(P2PML_LIVE3).name,
  withoutWorker(P2PML).name,
]

/** Through the tracker that WebTorrent's makers wrote. */
function throughOther(row: Row): Row {
  const tracker = 'bittorrent-tracker'
  return { ...row, name: `${row.name}-${tracker}`, title: `${row.title}, ${tracker}`, tracker, usual: false }
}
