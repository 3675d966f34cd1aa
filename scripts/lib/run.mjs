import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './paths.mjs'

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, show?: 'stdout' | 'stderr' | false }} [options]
 *   `show`: where its output goes while it runs; `false` (default) keeps it for the result
 * @returns {Promise<{ code: number, output: string }>} `code` is 127 when it could not be started, 130 after
 *   SIGINT and 143 after another signal
 */
export function run(command, args, options = {}) {
  const { show = false } = options
  const sink = show === 'stdout' ? 1 : 2
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', show ? sink : 'pipe', show ? 2 : 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.once('error', (error) => resolve({ code: 127, output: error.message }))
    child.once('close', (code, signal) =>
      resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 143), output }),
    )
  })
}

/**
 * Runs a script of the repository with this node; `script` is relative to the root.
 *
 * @type {(script: string, args: readonly string[], options?: Parameters<typeof run>[2]) => ReturnType<typeof run>}
 */
export function runNode(script, args, options) {
  return run(process.execPath, [join(ROOT, script), ...args], options)
}
