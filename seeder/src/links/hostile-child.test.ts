import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A native library that gives up takes its process along: only another process can tell. */
function runChild(): Promise<Ended> {
  const script = fileURLToPath(new URL('./hostile-child.mjs', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

it('no hostile peer and no failing owner ends the process', async () => {
  const { code, signal, stdout, stderr } = await runChild()
  const lines = stdout.split('\n').filter((line) => line !== '')
  const reports = lines.map(
    (line) => JSON.parse(line) as { name?: string; error?: string | null; done?: true },
  )
  expect(reports.filter(({ error }) => typeof error === 'string')).toEqual([])
  expect(reports.at(-1)).toEqual({ done: true, failures: [], uncaught: [] })
  expect(reports.length).toBeGreaterThan(30)
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
}, 120_000)
