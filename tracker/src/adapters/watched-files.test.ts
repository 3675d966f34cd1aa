import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from './log.js'
import { WatchedFiles } from './watched-files.js'

const folder = await mkdtemp(join(tmpdir(), 'shoal-watched-'))
const path = join(folder, 'list')
afterAll(() => rm(folder, { recursive: true }))

let lines: string[] = []
let used: string[] = []
const say = (_: object, message: string) => {
  lines.push(message)
}
const log: Log = { info: say, warn: say, error: say }
const open = () =>
  WatchedFiles.open(
    {
      what: 'the list',
      paths: [path],
      use([text = '']) {
        if (text.startsWith('bad')) throw new Error('it is bad')
        used.push(text)
      },
    },
    log,
  )

beforeEach(async () => {
  await writeFile(path, 'one')
  lines = []
  used = []
})

describe('WatchedFiles', () => {
  it('read a file once, and again when it changes', async () => {
    const files = await open()
    await files.look()
    expect(used).toEqual(['one'])
    await writeFile(path, 'three')
    await files.look()
    expect([used, lines]).toEqual([['one', 'three'], ['the list read anew']])
  })

  it('keep what was when the new one is wrong, and say so once', async () => {
    const files = await open()
    await writeFile(path, 'bad news')
    await files.look()
    await files.look()
    expect([used, files.problem]).toEqual([['one'], 'it is bad'])
    expect(lines).toEqual(['the list not read, the old one stays'])
    await writeFile(path, 'good news')
    await files.look()
    expect([used.at(-1), files.problem]).toEqual(['good news', null])
  })

  it('notice a file that goes away and comes back as it was', async () => {
    const files = await open()
    await rename(path, `${path}.away`)
    await files.look()
    expect(files.problem).toContain('ENOENT')
    await rename(`${path}.away`, path)
    await files.look()
    expect(files.problem).toBeNull()
  })

  it('fail at once when the first one is wrong', async () => {
    await writeFile(path, 'bad')
    await expect(open()).rejects.toThrow('it is bad')
  })
})
