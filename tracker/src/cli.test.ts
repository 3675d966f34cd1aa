import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { announce } from './testing/messages.js'
import { RawClient } from './testing/raw-client.js'

const BIN = fileURLToPath(new URL('../bin/shoal-tracker.js', import.meta.url))

const folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'))
const started: ChildProcess[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the built program. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, stdout, stderr }))
  const line = () =>
    expect
      .poll(() => stdout, { timeout: 10_000 })
      .toContain('\n')
      .then(() => stdout)
  return { child, ended, line }
}

async function config(content: unknown): Promise<string> {
  const file = join(folder, 'config.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('shoal-tracker', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says where it listens, and ends cleanly on %s', async (signal) => {
    const { child, ended, line } = start('--host', '127.0.0.1', '--port', '0', '--json')
    const { url, dashboard } = JSON.parse(await line())
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(dashboard).toBe(`${url}/dashboard/`)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    const client = await RawClient.open(url)
    expect(await client.ask(announce('a'))).toMatchObject({ interval: 120 })
    const closed = once(client.ws, 'close')
    child.kill(signal)
    const { code, stdout, stderr } = await ended
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain('tracker listens')
    expect((await closed)[0]).toBe(1001)
  })

  it('takes a file, and flags over it', async () => {
    const file = await config({ host: '127.0.0.1', port: 1, announceIntervalSeconds: 77, engine: 'ws' })
    const { line } = start('--config', file, '--port', '0', '--report-interval', '3', '--json')
    const { url, engine } = JSON.parse(await line())
    expect(engine).toBe('ws')
    const client = await RawClient.open(url)
    expect(await client.ask(announce('a', { shoal: { v: 1, role: 'viewer' } }))).toMatchObject({
      interval: 77,
      shoal: { report_interval: 3 },
    })
    await client.close()
  })

  it.each(['uws', 'ws'])('says in one line that the port is in use (%s)', async (engine) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { ended } = start('--host', '127.0.0.1', '--port', `${port}`, '--engine', engine)
    const { code, stdout, stderr } = await ended
    other.close()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(new RegExp(`^Port ${port} on 127.0.0.1 is in use: .*\n$`))
  })

  it('says in one line that it has no such address', async () => {
    const { code, stderr } = await start('--host', '192.0.2.1', '--port', '0').ended
    expect([code, stderr]).toEqual([1, 'This machine has no address 192.0.2.1: choose another --host.\n'])
  })

  it.each([
    [['--redis', 'redis://127.0.0.1'], '--redis: clustering is not part of this version\n'],
    [['--config', '/nonexistent.json'], '--config: cannot read /nonexistent.json (ENOENT)'],
    [
      ['--port', 'many'],
      "'many' is invalid. A whole number from 0 to 65535 is wanted. (see shoal-tracker --help)\n",
    ],
    [['--engine', 'go'], 'Allowed choices are uws, ws. (see shoal-tracker --help)\n'],
    [['--volume', '11'], "unknown option '--volume' (see shoal-tracker --help)\n"],
    [['extra'], 'too many arguments'],
    [['--port', '70000'], 'from 0 to 65535'],
    [['--report-interval', '0'], 'from 1 to 3600'],
  ])('used wrongly (%j) ends with 2 and says how to use it', async (args, message) => {
    const { code, stdout, stderr } = await start(...args).ended
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'does not hold a JSON object'],
    [{ prot: 1 }, '"prot"; known: host, port, '],
    [{ limits: { maxSwarms: 'many' } }, 'limits.maxSwarms: '],
    [{ limits: { maxSwarm: 1 } }, 'limits: Unrecognized key: "maxSwarm"; known: maxConnections, '],
    [{ engine: 'go' }, 'engine: '],
  ])('names what is wrong in its file (%j)', async (content, message) => {
    const { code, stderr } = await start('--config', await config(content)).ended
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('helps', async () => {
    const { code, stdout } = await start('--help').ended
    expect(code).toBe(0)
    for (const flag of ['--port', '--host', '--engine', '--redis', '--config', '--json']) {
      expect(stdout).toContain(flag)
    }
  })
})
