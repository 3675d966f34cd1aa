import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { run } from './run.mjs'

/**
 * The first of the programs that is there and answers `--version`.
 *
 * @param {readonly (string | undefined)[]} candidates names to look up in PATH, or absolute paths
 * @returns {Promise<string | null>} its absolute path
 */
export async function findProgram(candidates) {
  for (const candidate of candidates) {
    if (!candidate) continue
    const path = isAbsolute(candidate) ? candidate : inPath(candidate)
    if (path === null || !isExecutable(path)) continue
    const { code } = await run(path, ['--version'])
    if (code === 0) return path
  }
  return null
}

/** @param {string} name */
function inPath(name) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
