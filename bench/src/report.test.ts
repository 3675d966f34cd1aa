import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { barChart } from './report-chart.js'
import { otherSections } from './report-others.js'
import { ResultError, readResults } from './report-read.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-report-'))
})

afterEach(() => rm(folder, { recursive: true }))

describe('readResults', () => {
  it('reads what other benchmarks wrote, and shows their rows as a table', async () => {
    const rows = [
      { path: 'node-node', rate: 12.345, ends: { a: 1 } },
      { path: 'a|b', rate: null },
    ]
    await writeFile(
      join(folder, 'transport.json'),
      JSON.stringify({ bench: 'transport', rounds: 3, rows, more: [{ b: 1 }], none: [2] }),
    )
    const { swarm, others } = await readResults(folder)
    expect(swarm).toEqual([])
    const text = otherSections(others).join('\n')
    expect(text).toContain('## transport')
    expect(text).toContain('`rounds` 3')
    expect(text).toContain('| path | rate |')
    expect(text).toContain('| node-node | 12.3 |')
    expect(text).toContain('### transport: more\n\n| b |')
    expect(text).not.toContain('none')
    expect(text).toContain('| a\\|b | - |')
  })

  it('names a file that is no result, and has none where there is no folder', async () => {
    expect(await readResults(join(folder, 'none'))).toEqual({ swarm: [], others: [] })
    for (const content of ['[]', '{', '{"bench":"core"}']) {
      await writeFile(join(folder, 'bad.json'), content)
      await expect(readResults(folder)).rejects.toThrow(ResultError)
      await expect(readResults(folder)).rejects.toThrow('bad.json')
    }
  })
})

describe('barChart', () => {
  it('draws bars as long as their values, and tells where there is none', () => {
    const bars = [
      { label: 'one <1>', value: 2 },
      { label: 'two', value: 1 },
      { label: 'three', value: null },
    ]
    const svg = barChart({ title: 'T & U', unit: 's', groups: [{ label: 'G', bars }] })
    const widths = [...svg.matchAll(/<rect x="250"[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width))
    expect(widths[0]).toBeGreaterThan(100)
    expect(widths[1]).toBeCloseTo((widths[0] ?? 0) / 2, 0)
    expect(widths[2]).toBe(0)
    expect(svg).toContain('T &amp; U')
    expect(svg).toContain('one &lt;1&gt;')
    expect(svg).toContain('none')
  })
})
