import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** The declarations that a consumer's compiler reads. */
export interface ApiReport {
  /** All reachable declaration files, without imports from each other and source map comments. */
  readonly text: string
  /** Packages that they import from. */
  readonly packages: readonly string[]
}

const IMPORT = /^(?:import|export)\s[^'";]*from ['"]([^'"]+)['"];?\n/gm

/** Reads the declarations that are reachable from `entry`. */
export function apiReport(entry: string): ApiReport {
  const root = dirname(entry)
  const packages = new Set<string>()
  const texts = new Map<string, string>()
  const visit = (file: string): void => {
    if (texts.has(file)) return
    const source = readFileSync(file, 'utf8')
    texts.set(file, '')
    for (const [, target = ''] of source.matchAll(IMPORT)) {
      if (target.startsWith('.')) visit(join(dirname(file), target.replace(/\.js$/, '.d.ts')))
      else packages.add(target)
    }
    const own = source.replace(/^\/\/# sourceMappingURL.*\n?/m, '').trim()
    texts.set(file, `// ${relative(root, file)}\n\n${own}\n`)
  }
  visit(entry)
  const sorted = [...texts].sort(([a], [b]) => (a < b ? -1 : 1))
  return { text: sorted.map(([, text]) => text).join('\n'), packages: [...packages].sort() }
}
