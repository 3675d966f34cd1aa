import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('./full-disk-child.mjs', import.meta.url))

/** A file system of 1 MiB of its own, in namespaces that end with the process. */
const SMALL_DISK = [
  'unshare',
  '-rm',
  'sh',
  '-c',
  'mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3" "$1"',
]
/** Where the kernel gives no namespaces: a process whose files end at 100 KiB (EFBIG for ENOSPC). */
const SMALL_FILES = ['sh', '-c', 'ulimit -f 200 && exec "$2" "$3" "$1"']

/** What full-disk-child.mjs says. */
interface Outcome {
  readonly puts: readonly { readonly onDisk: boolean; readonly right: boolean }[]
  readonly again: { readonly onDisk: boolean; readonly right: boolean }
  readonly recovered: boolean
  readonly lines: readonly string[]
  readonly diskBytes: number
}

function namespaces(): boolean {
  return spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0
}

test('a disk that is full is said once, loses and breaks nothing, and is used again when it has room', () => {
  const real = namespaces()
  const [command = '', ...args] = real ? SMALL_DISK : SMALL_FILES
  process.stderr.write(`full disk: ${real ? 'a file system of 1 MiB' : 'files of 100 KiB at most'}\n`)
  const folder = mkdtempSync(join(tmpdir(), 'shoal-full-'))
  try {
    const said = execFileSync(command, [...args, 'sh', folder, process.execPath, CHILD], { encoding: 'utf8' })
    const { puts, again, recovered, lines, diskBytes }: Outcome = JSON.parse(said)
    expect(puts.map(({ right }) => right)).toEqual([true, true, true, true, true, true])
    expect(puts.map(({ onDisk }) => onDisk)).toEqual([true, real, real, false, false, false])
    expect(again).toEqual({ onDisk: true, right: true })
    expect(recovered).toBe(true)
    const refused = real ? /keeping segments in memory: ENOSPC/ : /keeping segments in memory: EFBIG/
    expect(lines).toEqual([expect.stringMatching(refused), 'the cache can be written again'])
    if (real) expect(diskBytes).toBe(2 ** 20)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
