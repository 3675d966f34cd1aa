/** A run's report: numbers that can be compared, and other things. */
type Report = Readonly<Record<string, unknown>>

type Numbers = Record<string, number>

/** What several runs have in common: the middle and the ends of each number that all of them gave. */
export interface SimSummary {
  readonly seeds: readonly Report[]
  readonly median: Numbers
  readonly min: Numbers
  readonly max: Numbers
}

/** Sums up the reports of runs that differ in their seeds. */
export function summaryOf(reports: readonly Report[]): SimSummary {
  const names = Object.keys(reports[0] ?? {}).filter((name) => name !== 'seed')
  const pick = (choose: (sorted: readonly number[]) => number): Numbers => {
    const numbers: Numbers = {}
    for (const name of names) {
      const values = reports.map((report) => report[name]).filter((value) => typeof value === 'number')
      if (values.length === reports.length) numbers[name] = choose(values.sort((a, b) => a - b))
    }
    return numbers
  }
  return {
    seeds: reports,
    median: pick(medianOf),
    min: pick((all) => at(all, 0)),
    max: pick((all) => at(all, -1)),
  }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2
  return (at(sorted, Math.ceil(middle) - 1) + at(sorted, Math.floor(middle))) / 2
}

function at(values: readonly number[], index: number): number {
  return values.at(index) ?? Number.NaN
}
