import uPlot from 'uplot'
import { clockText, rateQuantity, tickText } from './format.js'
import { hatch, onThemeChange, readPalette } from './palette.js'
import { type Timeline, WINDOW_MS } from './samples.js'
import { countTop, rateTop } from './scale.js'

/** Heights in CSS pixels: the second chart is a strip under the first. */
const RATES_HEIGHT = 226
const AUDIENCE_HEIGHT = 104

/** Widths of the axes in CSS pixels, fixed so that both charts share their verticals. */
const RATE_AXIS = 74
const SHARE_AXIS = 52

const FONT = '12px system-ui, sans-serif'
const SYNC_KEY = 'shoal'

/** The two charts over time. */
export interface Charts {
  readonly show: (timeline: Timeline) => void
}

export interface ChartListener {
  /** What is under the cursor: an index of the timeline, null for nothing. */
  readonly hover: (index: number | null) => void
  /** The cursor was moved by keys, which is how those move it who do not see it. */
  readonly moved: () => void
}

/** Draws into two elements, as wide as they are. */
export function makeCharts(rates: HTMLElement, audience: HTMLElement, listener: ChartListener): Charts {
  let palette = readPalette()
  let httpFill: CanvasPattern | string | null = null
  const cursorWith = (colours: () => readonly (string | null)[]): uPlot.Cursor => ({
    y: false,
    drag: { x: false, y: false, setScale: false },
    sync: { key: SYNC_KEY, setSeries: false },
    points: {
      size: (_, series) => (colours()[series - 1] == null ? 0 : 8),
      width: 2,
      fill: (_, series) => colours()[series - 1] ?? '',
      stroke: () => palette.surface,
    },
  })
  const time: uPlot.Axis = {
    scale: 'x',
    stroke: () => palette.axis,
    font: FONT,
    size: 26,
    gap: 6,
    space: 70,
    incrs: [60, 120, 300],
    grid: { show: false },
    ticks: { stroke: () => palette.grid, size: 4, width: 1 },
    values: (_, seconds) => seconds.map((second) => clockText(second * 1000, false)),
  }
  const scale = {
    x: {
      time: true,
      range: (_: uPlot, __: number, newest: number): uPlot.Range.MinMax => {
        const end = Number.isFinite(newest) ? newest : Date.now() / 1000
        return [end - WINDOW_MS / 1000, end]
      },
    },
  }
  const grid: uPlot.Axis.Grid = { stroke: () => palette.grid, width: 1 }

  const rateChart = new uPlot(
    {
      width: widthOf(rates),
      height: RATES_HEIGHT,
      padding: [10, 0, 0, 0],
      legend: { show: false },
      cursor: cursorWith(() => [palette.http, palette.seeders, palette.peers, null, palette.offload]),
      // The grid over the areas: opaque areas would hide it.
      drawOrder: ['series' as uPlot.DrawOrderKey, 'axes' as uPlot.DrawOrderKey],
      scales: {
        ...scale,
        rate: { range: (_, __, largest) => [0, rateTop(Number.isFinite(largest) ? largest : 0)] },
        share: { range: [0, 100] },
      },
      axes: [
        { ...time, values: (_, seconds) => seconds.map(() => ''), size: 8 },
        {
          scale: 'rate',
          stroke: () => palette.axis,
          font: FONT,
          size: RATE_AXIS,
          gap: 6,
          space: 44,
          grid,
          ticks: { show: false },
          values: (_, bits) => bits.map((value) => (value === 0 ? '0' : tickText(rateQuantity(value / 8)))),
        },
        {
          scale: 'share',
          side: 1,
          stroke: () => palette.axis,
          font: FONT,
          size: SHARE_AXIS,
          gap: 6,
          incrs: [25, 50],
          grid: { show: false },
          ticks: { show: false },
          values: (_, shares) => shares.map((value) => `${value} %`),
        },
      ],
      // Each area reaches down to zero and the next is painted over it.
      series: [
        {},
        {
          label: 'HTTP',
          scale: 'rate',
          width: 0,
          fill: (chart) => {
            httpFill ??= hatch(chart.ctx, palette.http, palette.httpLine)
            return httpFill
          },
          points: { show: false },
        },
        {
          label: 'Seeders',
          scale: 'rate',
          width: 1,
          stroke: () => palette.surface,
          fill: () => palette.seeders,
          points: { show: false },
        },
        {
          label: 'From viewers',
          scale: 'rate',
          width: 1,
          stroke: () => palette.surface,
          fill: () => palette.peers,
          points: { show: false },
        },
        // Twice: a wide line in the ground's colour keeps the offload readable over any area.
        { scale: 'share', width: 5, stroke: () => palette.surface, points: { show: false } },
        {
          label: 'Offload',
          scale: 'share',
          width: 2,
          stroke: () => palette.offload,
          points: { show: false },
        },
      ],
      hooks: { setCursor: [(chart) => listener.hover(chart.cursor.idx ?? null)] },
    },
    [[], [], [], [], [], []],
    rates,
  )

  const audienceChart = new uPlot(
    {
      width: widthOf(audience),
      height: AUDIENCE_HEIGHT,
      padding: [8, SHARE_AXIS, 0, 0],
      legend: { show: false },
      cursor: cursorWith(() => [palette.viewers]),
      scales: {
        ...scale,
        count: { range: (_, __, largest) => [0, countTop(Number.isFinite(largest) ? largest : 0)] },
      },
      axes: [
        time,
        {
          scale: 'count',
          stroke: () => palette.axis,
          font: FONT,
          size: RATE_AXIS,
          gap: 6,
          space: 26,
          grid,
          ticks: { show: false },
          incrs: [
            1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1e3, 2e3, 2500, 5e3, 1e4, 2e4, 5e4, 1e5, 5e5, 1e6,
          ],
          values: (_, counts) => counts.map((value) => value.toLocaleString('en')),
        },
      ],
      series: [
        {},
        {
          label: 'Viewers',
          scale: 'count',
          width: 2,
          stroke: () => palette.viewers,
          paths: stepped(),
          points: { show: false },
        },
      ],
    },
    [[], []],
    audience,
  )

  onThemeChange(() => {
    palette = readPalette()
    httpFill = null
    rateChart.redraw(false)
    audienceChart.redraw(false)
  })
  followWidth(rates, rateChart, RATES_HEIGHT)
  followWidth(audience, audienceChart, AUDIENCE_HEIGHT)
  const followKeys = moveByKeys(rates, rateChart, listener.moved)

  return {
    show: (timeline) => {
      rateChart.setData([[...timeline.at], ...stackOf(timeline)])
      audienceChart.setData([[...timeline.at], [...timeline.viewers]])
      // uPlot takes data over in a microtask of its own, queued before this one.
      queueMicrotask(followKeys)
    },
  }
}

/** Columns of the rate chart: tops of the stacked areas in bit/s, the highest first, and the offload in percent. */
function stackOf(timeline: Timeline): (number | null)[][] {
  const peers = timeline.peerRate.map(bits)
  const seeders = added(peers, timeline.seederRate.map(bits))
  const http = added(seeders, timeline.httpRate.map(bits))
  const offload = timeline.offload.map((share) => (share === null ? null : share * 100))
  return [http, seeders, peers, offload, offload]
}

function bits(bytes: number | null): number | null {
  return bytes === null ? null : bytes * 8
}

function added(below: readonly (number | null)[], column: readonly (number | null)[]): (number | null)[] {
  return column.map((value, index) => {
    const under = below[index]
    return value === null || under === null || under === undefined ? null : under + value
  })
}

function stepped(): uPlot.Series.PathBuilder {
  const make = uPlot.paths.stepped
  if (make === undefined) throw new TypeError('uPlot without stepped paths')
  return make({ align: 1 })
}

function widthOf(element: HTMLElement): number {
  return Math.max(200, Math.floor(element.clientWidth))
}

function followWidth(element: HTMLElement, chart: uPlot, height: number): void {
  new ResizeObserver(() => {
    const width = widthOf(element)
    if (width !== chart.width) chart.setSize({ width, height })
  }).observe(element)
}

/**
 * Arrow keys move the cursor as a pointer does, ten samples at a time with Shift; Escape lets go.
 *
 * @returns keeps the cursor on its moment when the chart has moved on; to be called after new data
 */
function moveByKeys(element: HTMLElement, chart: uPlot, moved: () => void): () => void {
  let pinned: number | null = null
  element.tabIndex = 0

  const letGo = (): void => {
    if (pinned === null) return
    pinned = null
    chart.setCursor({ left: -10, top: -10 })
  }
  const follow = (): void => {
    if (pinned !== null) chart.setCursor({ left: chart.valToPos(pinned, 'x'), top: 10 })
  }

  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') letGo()
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    const times = chart.data[0]
    if (step === 0 || times === undefined || times.length === 0) return
    event.preventDefault()
    const from = chart.cursor.idx ?? times.length - 1
    const to = Math.min(times.length - 1, Math.max(0, from + step * (event.shiftKey ? 10 : 1)))
    pinned = times[to] ?? null
    follow()
    moved()
  })
  element.addEventListener('blur', letGo)
  // A pointer takes the cursor over.
  element.addEventListener('pointermove', () => {
    pinned = null
  })
  return follow
}
