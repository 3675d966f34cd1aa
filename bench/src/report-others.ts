import { short } from './report-chart.js'
import type { OtherResult } from './report-read.js'

/** Each as it wrote itself: its plain values, and each list of records as a table. */
export function otherSections(results: readonly OtherResult[]): readonly string[] {
  return results.flatMap(({ bench, file, values, tables }) => {
    const plain = Object.entries(values).map(([name, value]) => `\`${name}\` ${shown(value)}`)
    return [
      `## ${bench}`,
      '',
      `From \`bench/results/${file}\`${plain.length === 0 ? '.' : `: ${plain.join(', ')}.`}`,
      '',
      ...Object.entries(tables).flatMap(([name, rows]) => [
        ...(name === 'rows' ? [] : [`### ${bench}: ${name}`, '']),
        ...table(rows),
      ]),
    ]
  })
}

function table(rows: OtherResult['tables'][string]): readonly string[] {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => isShown(row[key]))))]
  if (heads.length === 0) return []
  const lines = rows.map((row) => `| ${heads.map((head) => shown(row[head])).join(' | ')} |`)
  return [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---').join('|')}|`, ...lines, '']
}

function isShown(value: unknown): boolean {
  return value === null || typeof value !== 'object'
}

function shown(value: unknown): string {
  if (value === null || value === undefined || !isShown(value)) return '-'
  if (typeof value !== 'number') return String(value).replaceAll('|', '\\|').replaceAll('\n', ' ')
  return Number.isInteger(value) ? String(value) : short(value)
}
