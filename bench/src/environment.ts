import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { arch, cpus, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { chromiumPath } from '../../e2e/dist/browser/index.js'

/** What a measurement ran on. */
export interface Environment {
  /** ISO 8601. */
  readonly at: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly chromium: string
  /** Versions of what is compared. */
  readonly packages: Readonly<Record<string, string>>
  readonly command: string
}

const COMPARED = ['hls.js', 'p2p-media-loader-hlsjs', 'swarmcloud-hls', 'bittorrent-tracker']

export async function environment(): Promise<Environment> {
  const [cpu] = cpus()
  const packages = await Promise.all(
    COMPARED.map(async (name) => {
      const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
      const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string }
      return [name, version] as const
    }),
  )
  return {
    at: new Date().toISOString(),
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()} ${arch()}`,
    node: process.version,
    chromium: await chromiumVersion(),
    packages: Object.fromEntries(packages),
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
  }
}

async function chromiumVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)(chromiumPath(), ['--version', '--no-sandbox'])
  return stdout.trim()
}
