import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { REFUSAL_CODES } from '../admission/refusal.js'
import type { RunningTracker } from '../runtime/create-tracker.js'
import { createTracker } from '../runtime/create-tracker.js'
import { announce, shoal } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'

const DASHBOARD = new URL('../../../deploy/grafana-dashboard.json', import.meta.url)

let tracker: RunningTracker
let text = ''

beforeAll(async () => {
  tracker = await createTracker({ host: '127.0.0.1', port: 0 })
  const client = await RawClient.open(tracker.url)
  // Names that clients choose, and one that must not become a label.
  await client.ask(shoal('a"} 1\n', { role: 'seeder', name: 'A title"} 1\n' }))
  await client.ask(announce('b', { event: 'nonsense' }))
  text = await (await fetch(`${tracker.url}/metrics`)).text()
  await client.close()
})
afterAll(() => tracker.close())

/** Name and labels of every series. */
function series(): { readonly name: string; readonly labels: Readonly<Record<string, string>> }[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([a-z_]+)(?:\{([^}]*)\})? -?[0-9.e+-]+$/.exec(line)
      if (match === null) throw new Error(`not a series: ${line}`)
      const [, name = '', list = ''] = match
      const labels = list.split(',').flatMap((pair) => (pair === '' ? [] : [pair.split('=')]))
      return {
        name,
        labels: Object.fromEntries(labels.map(([key, value = '']) => [key, value.slice(1, -1)])),
      }
    })
}

it('names are of one kind, and counters end in _total', () => {
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  expect(types.length).toBeGreaterThan(20)
  for (const [, name = '', type] of types) {
    expect(name).toMatch(/^(shoal_tracker|process)_[a-z_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'))
  }
})

it('labels have few values, none of them a client chooses', () => {
  const values: Record<string, Set<string>> = {}
  for (const { name, labels } of series()) {
    for (const [label, value] of Object.entries(labels)) {
      values[`${name} ${label}`] ??= new Set()
      values[`${name} ${label}`]?.add(value)
      expect(value).toMatch(/^[a-z-]+$/)
    }
  }
  expect([...(values['shoal_tracker_refusals_total code'] ?? [])].sort()).toEqual([...REFUSAL_CODES].sort())
  for (const [name, set] of Object.entries(values))
    expect([name, set.size]).toEqual([name, Math.min(set.size, 12)])
  expect(series().length).toBeLessThan(100)
})

it('the Grafana dashboard asks for nothing that is not there', async () => {
  const dashboard = JSON.parse(await readFile(DASHBOARD, 'utf8')) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
  }
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  expect(expressions.length).toBeGreaterThan(20)
  const known = series()
  for (const expr of expressions) {
    const names = [...expr.matchAll(/\b(?:shoal_tracker|process)_[a-z_]+/g)].map(([name]) => name)
    expect(names, expr).not.toEqual([])
    for (const name of names) {
      const found = known.filter((one) => one.name === name)
      expect(found, name).not.toEqual([])
      const labels = [...expr.matchAll(/by \(([a-z]+)\)|[{,]([a-z]+)=/g)].map(
        ([, by, selector]) => by ?? selector,
      )
      for (const label of labels) {
        // Prometheus adds these two itself.
        if (label === 'job' || label === 'instance') continue
        expect(
          names.some((other) =>
            known.some((one) => one.name === other && label !== undefined && label in one.labels),
          ),
          `${label} in ${expr}`,
        ).toBe(true)
      }
    }
  }
})
