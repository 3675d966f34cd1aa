import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { otherSections } from './report-others.js'
import { readResults } from './report-read.js'
import { type Cell, cellsOf, cellTable, charts } from './report-swarm.js'
import { rowsTable } from './report-systems.js'
import { targetLines } from './report-targets.js'
import type { StoredSwarmRow } from './swarm-store.js'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))

export interface ReportResult {
  readonly bench: 'report'
  readonly file: string
  readonly swarmRows: number
  readonly otherResults: number
}

/**
 * Writes docs/benchmarks.md and its charts from bench/results/*.json. Measures nothing.
 *
 * @throws ResultError
 */
export async function run(): Promise<ReportResult> {
  const { swarm, others } = await readResults(RESULTS)
  const cells = cellsOf(swarm.map(({ row }) => row))
  const pictures = charts(cells)
  await mkdir(join(DOCS, 'benchmarks'), { recursive: true })
  for (const { name, svg } of pictures) await writeFile(join(DOCS, 'benchmarks', `${name}.svg`), svg)
  const lines = [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- report` from [bench/results](../bench/results); do not edit. How each',
    'number is taken: [benches.md](benches.md).',
    '',
    ...(swarm.length + others.length === 0 ? ['No results are kept yet.'] : []),
    ...(swarm.length === 0 ? [] : sideBySide(swarm, cells)),
    ...pictures.flatMap(({ name, title }) => [`![${title}](benchmarks/${name}.svg)`, '']),
    ...cells.flatMap((cell) => [
      `### ${cell.scenario}, ${cell.viewers} viewers`,
      '',
      `${cell.title}. ${conditions(cell)}`,
      '',
      ...cellTable(cell),
      '',
    ]),
    ...targetLines(swarm.map(({ row }) => row)),
    ...(swarm.length === 0 ? [] : [...machines(swarm), ...commands(swarm)]),
    ...otherSections(others),
  ]
  const file = join(DOCS, 'benchmarks.md')
  await writeFile(file, `${lines.join('\n').trimEnd()}\n`)
  return { bench: 'report', file, swarmRows: swarm.length, otherResults: others.length }
}

function sideBySide(swarm: readonly StoredSwarmRow[], cells: readonly Cell[]): readonly string[] {
  const used = new Set(cells.flatMap(({ systems }) => systems.map(({ system }) => system)))
  return [
    '## Side by side in real browsers',
    '',
    'Each row has a fresh origin, tracker and browser on one machine, and the arrivals of its seed. Figures are',
    'medians of the seeds. `from peers`: of what peers and the origin brought; `HTTP copies` and `requests`: of',
    "each segment, by the origin's log, start-ups apart. A star: the machine was the limit, the figures of that",
    'row show what it can do. The settings of other programs are those of their documentation:',
    '',
    ...rowsTable(
      used,
      swarm.map(({ row }) => row),
    ),
    '',
  ]
}

function conditions({ systems }: Cell): string {
  const runs = systems.flatMap((one) => one.runs)
  const all = (value: (run: (typeof runs)[number]) => string | number) =>
    [...new Set(runs.map(value))].join(', ')
  const origin = all(({ originX }) => (originX === null ? 'without a limit' : `${originX} times the bitrate`))
  const rate = all(({ bitsPerSecond }) => (bitsPerSecond / 1e6).toFixed(2))
  return `${rate} Mbit/s; origin ${origin}; ${all(({ seconds }) => seconds)} s; seeds ${all(({ seed }) => seed)}.`
}

function machines(swarm: readonly StoredSwarmRow[]): readonly string[] {
  const lines = swarm.map(({ environment }) => {
    const { cpu, cores, memoryGiB, system, node, chromium, packages } = environment
    const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
    return `- ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${system}; Node ${node}; ${chromium}; ${versions.join(', ')}`
  })
  const days = swarm.map(({ environment }) => environment.at.slice(0, 10)).sort()
  const span = [...new Set([days[0], days.at(-1)])].join(' to ')
  return ['## Machine and versions', '', `Measured ${span}.`, '', ...new Set(lines), '']
}

function commands(swarm: readonly StoredSwarmRow[]): readonly string[] {
  const unique = [...new Set(swarm.map(({ environment }) => environment.command))]
  return [
    '## To repeat',
    '',
    'What is in `--results` already is not run again.',
    '',
    '```',
    ...unique,
    '```',
    '',
  ]
}
