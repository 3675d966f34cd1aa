import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DiskStore } from './disk-store.js'

/** Kills at least; `SHOAL_CRASHES` for more than the suite has time for. */
const ROUNDS = Number(process.env['SHOAL_CRASHES'] ?? 4)

/** Kills at most, until one has met a file that was being written. */
const MAX_ROUNDS = ROUNDS + 60

const SIZE = 400_000
const CHILD = fileURLToPath(new URL('./crash-child.mjs', import.meta.url))

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-crash-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** Lets a process write from number `first` on, and kills it; the numbers that it said are stored. */
async function writeAndKill(first: number, lifeMs: number): Promise<number[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), lifeMs)
    text += chunk.toString()
  })
  await new Promise((resolve) => child.once('close', resolve))
  return text.split('\n').slice(0, -1).map(Number)
}

test(`a cache whose process is killed, ${ROUNDS} times, gives whole segments and all that were stored`, async () => {
  let first = 0
  let incomplete = 0
  for (let round = 0; round < ROUNDS || (incomplete === 0 && round < MAX_ROUNDS); round++) {
    const stored = await writeAndKill(first, Math.random() * 60)
    const left = readdirSync(folder)
    const store = new DiskStore(folder, 1e9, () => undefined)
    incomplete += left.length - readdirSync(folder).length
    for (let sequence = first; sequence <= Math.max(first, ...stored) + 4; sequence++) {
      const recovered = await store.recover(`k${sequence}`)
      if (stored.includes(sequence)) expect(recovered).not.toBeNull()
      const bytes = await recovered?.stored.read(0, SIZE)
      const whole = Buffer.alloc(SIZE, sequence % 251)
      expect(bytes === undefined || (bytes !== null && whole.equals(bytes))).toBe(true)
      store.remove(`k${sequence}`)
    }
    expect(readdirSync(folder)).toEqual([])
    await store.close()
    first = Math.max(first, ...stored) + 5
  }
  // Else the kills have not met a single write, and nothing was tried.
  expect(incomplete).toBeGreaterThan(0)
}, 120_000)
