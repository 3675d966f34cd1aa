import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError, build } from './build.mjs'
import { ROOT, TOOLS } from './paths.mjs'
import { runNode } from './run.mjs'

/** Packages that go to the registry with an entry for programs. */
const LIBRARIES = ['protocol', 'core', 'tracker', 'seeder', 'player-plugin']

/**
 * One check of the source or of the packages.
 *
 * @typedef {{ name: string, run: () => Promise<{ ok: boolean, output: string }> }} Check
 */

/**
 * All checks, in the order to run them: what is packed is built before.
 *
 * @returns {Promise<Check[]>}
 */
export async function allChecks() {
  return [
    tool('biome ci', TOOLS.biome, ['ci', '--colors=off', '.']),
    { name: 'build', run: runBuild },
    tool('types of the browser tests', TOOLS.tsc, ['-b', 'e2e/tsconfig.test.json']),
    tool('knip', TOOLS.knip, []),
    tool('docs/scaling.md', 'scripts/scaling.mjs', ['--check']),
    ...LIBRARIES.map((name) => tool(`publint ${name}`, TOOLS.publint, [name, '--strict'])),
    ...LIBRARIES.map((name) => tool(`attw ${name}`, TOOLS.attw, ['--pack', name, '--profile', 'esm-only'])),
    ...((await hasSizeLimit('player-plugin'))
      ? [tool('size-limit player-plugin', TOOLS.sizeLimit, [], { cwd: join(ROOT, 'player-plugin') })]
      : []),
  ]
}

/**
 * Runs one check and says how it went, with its output when it failed.
 *
 * @param {Check} check
 * @returns {Promise<boolean>} whether it passed
 */
export async function runCheck(check) {
  const start = performance.now()
  const { ok, output } = await check.run()
  if (!ok && output.trim() !== '') console.log(output.trimEnd())
  console.log(
    `${ok ? 'ok    ' : 'FAILED'}  ${check.name} (${((performance.now() - start) / 1000).toFixed(1)} s)`,
  )
  return ok
}

/**
 * @param {string} name
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} [options]
 * @returns {Check}
 */
function tool(name, script, args, options) {
  return {
    name,
    run: async () => {
      const { code, output } = await runNode(script, args, { ...options, env: { NO_COLOR: '1' } })
      return { ok: code === 0, output }
    },
  }
}

async function runBuild() {
  try {
    await build(() => {})
    return { ok: true, output: '' }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    return { ok: false, output: `${error.output}\n${error.message}` }
  }
}

/** @param {string} folder */
async function hasSizeLimit(folder) {
  if (
    ['.size-limit.json', '.size-limit.js', '.size-limit.mjs'].some((name) =>
      existsSync(join(ROOT, folder, name)),
    )
  ) {
    return true
  }
  const manifest = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'))
  return manifest['size-limit'] !== undefined
}
