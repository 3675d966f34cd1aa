/** One way to deliver the stream. Each gets a fresh browser, origin and tracker. */
export interface Row {
  readonly name: string
  readonly title: string
  /** One of `swarmPlayers` in bench/page/swarm-players.js; one that is compared with is added there. */
  readonly player: 'plain' | 'shoal'
  readonly tracker: boolean
  readonly seeder: boolean
  /** Whether the origin's uplink is limited as the command line says. */
  readonly limited: boolean
}

export const ROWS: readonly Row[] = [
  {
    name: 'plain-unlimited',
    title: 'hls.js, origin without a limit (what the machine can do)',
    player: 'plain',
    ...{ tracker: false, seeder: false, limited: false },
  },
  {
    name: 'plain',
    title: 'hls.js (control)',
    player: 'plain',
    ...{ tracker: false, seeder: false, limited: true },
  },
  {
    name: 'shoal',
    title: 'Shoal, no seeder',
    player: 'shoal',
    ...{ tracker: true, seeder: false, limited: true },
  },
  {
    name: 'shoal-seeder',
    title: 'Shoal with a seeder',
    player: 'shoal',
    ...{ tracker: true, seeder: true, limited: true },
  },
]
