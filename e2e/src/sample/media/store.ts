import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const STAMP_FILE = '.stamp'

/** Part of every stamp: raised when the code makes other bytes from the same recipe. */
const STORE_VERSION = 1

/** No build takes so long, in ms. */
const ABANDONED_AFTER_MS = 10 * 60_000

/**
 * Makes a folder once. It is built beside its place and then renamed, so that it is either there in full
 * or not there, also when two processes make it at the same time.
 *
 * @param folder where the result belongs
 * @param recipe what decides its content; a folder made from another recipe is replaced
 * @param build fills an empty folder
 * @returns whether it was built now
 */
export async function makeOnce(
  folder: string,
  recipe: unknown,
  build: (folder: string) => Promise<void>,
): Promise<boolean> {
  const stamp = createHash('sha256')
    .update(JSON.stringify([STORE_VERSION, recipe]))
    .digest('hex')
  if (await hasStamp(folder, stamp)) return false

  await removeAbandoned(folder)
  const unfinished = `${folder}.${randomUUID().slice(0, 8)}.part`
  await mkdir(unfinished, { recursive: true })
  try {
    await build(unfinished)
    await writeFile(join(unfinished, STAMP_FILE), stamp)
    await replaceFolder(folder, unfinished, stamp)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return true
}

/** What a process that was killed has left behind. */
async function removeAbandoned(folder: string): Promise<void> {
  const parent = dirname(folder)
  const names = await readdir(parent).catch(() => [])
  const leftovers = names.filter(
    (name) => name.startsWith(`${basename(folder)}.`) && /\.(part|old)$/.test(name),
  )
  for (const path of leftovers.map((name) => join(parent, name))) {
    const found = await stat(path).catch(() => null)
    if (found !== null && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) {
      await rm(path, { recursive: true, force: true })
    }
  }
}

async function hasStamp(folder: string, stamp: string): Promise<boolean> {
  const found = await readFile(join(folder, STAMP_FILE), 'utf8').catch(() => null)
  return found === stamp
}

async function replaceFolder(folder: string, finished: string, stamp: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  if (await hasStamp(folder, stamp)) return
  const outdated = `${folder}.${randomUUID().slice(0, 8)}.old`
  await rename(folder, outdated).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  try {
    await rename(finished, folder)
  } catch (error) {
    // Another process may have put the same thing there in between.
    if (!(await hasStamp(folder, stamp))) throw error
  } finally {
    await rm(outdated, { recursive: true, force: true })
  }
}
