import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, TOOLS } from './paths.mjs'
import { runNode } from './run.mjs'

/** Packages that vite bundles, with a file that their build makes. */
const BUNDLES = [
  { name: 'player-plugin', output: 'dist/shoal.global.js', inputs: ['protocol/dist', 'core/dist'] },
  { name: 'dashboard', output: 'dist/index.html', inputs: ['protocol/dist'] },
]

/** Made by the build itself. */
const NOT_INPUT = /(\.tsbuildinfo|\.d\.ts\.map|\.test\.ts)$/

/** The build failed. `output` is what the failing tool printed. */
export class BuildError extends Error {
  /** @param {string} message @param {string} output */
  constructor(message, output) {
    super(message)
    this.output = output
  }
}

/**
 * Compiles all packages and bundles those for browsers, as far as they are out of date.
 *
 * @param {(line: string) => void} tell
 * @throws {BuildError}
 */
export async function build(tell) {
  await step('tsc -b', TOOLS.tsc, ['-b'])
  for (const bundle of BUNDLES) {
    if (!existsSync(join(ROOT, bundle.name, 'vite.config.ts'))) continue
    const stampFile = join(ROOT, '.shoal/build', bundle.name)
    const stamp = await fingerprint([bundle.name, ...bundle.inputs])
    const upToDate = existsSync(join(ROOT, bundle.name, bundle.output)) && (await read(stampFile)) === stamp
    if (upToDate) continue
    tell(`Bundling ${bundle.name} …`)
    const options = { cwd: join(ROOT, bundle.name) }
    await step(`vite build of ${bundle.name}`, TOOLS.vite, ['build', '--logLevel', 'warn'], options)
    await mkdir(join(ROOT, '.shoal/build'), { recursive: true })
    await writeFile(stampFile, stamp)
  }
}

/** @param {string} name @param {string} tool @param {string[]} args @param {{ cwd?: string }} [options] */
async function step(name, tool, args, options) {
  const { code, output } = await runNode(tool, args, options)
  if (code !== 0) throw new BuildError(`${name} failed`, output.trim())
}

/**
 * Changes when a source file changes, comes or goes.
 *
 * @param {readonly string[]} folders
 */
async function fingerprint(folders) {
  const hash = createHash('sha256')
  for (const folder of folders) {
    for (const file of await sourceFiles(folder, folder.endsWith('/dist'))) {
      const { size, mtimeMs } = await stat(join(ROOT, file))
      hash.update(`${file}\n${size}\n${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}

/**
 * @param {string} folder
 * @param {boolean} built whether it is another package's output
 * @returns {Promise<string[]>}
 */
async function sourceFiles(folder, built) {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true }).catch(() => [])
  const files = []
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (entry.name === 'node_modules' || (!built && entry.name === 'dist')) continue
      files.push(...(await sourceFiles(path, built)))
    } else if (!NOT_INPUT.test(entry.name)) files.push(path)
  }
  return files
}

/** @param {string} file */
function read(file) {
  return readFile(file, 'utf8').catch(() => null)
}
