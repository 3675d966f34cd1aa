import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { main } from './main.js'
import { SETTING_KEYS } from './runtime/options.js'
import { flagOf } from './runtime/setting-texts.js'
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

/** Runs it in this process, where it is to end by itself: a process takes a second to start. */
async function ask(variables: Readonly<Record<string, string>>, ...args: string[]) {
  const said = { stdout: '', stderr: '' }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text
      return true
    })
  }
  try {
    return { code: await main(args), ...said }
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
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
    expect((await closed)[0]).toBe(1012)
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
    [
      ['--redis', 'redis://localhost:99999'],
      'redis: not a URL like redis://host:6379 (from --redis) (see shoal-tracker --help)\n',
    ],
    [
      ['--redis', 'redis://localhost/two'],
      'redis: not a URL like redis://host:6379 (from --redis) (see shoal-tracker --help)\n',
    ],
    [
      ['--dashboard-folder', folder],
      `dashboardFolder: there is no index.html in ${folder} (see shoal-tracker --help)\n`,
    ],
    [
      ['--port', '0', '--admission-deny-file', join(folder, 'none')],
      `admission.denyFile: ${join(folder, 'none')}: there is no such file (see shoal-tracker --help)\n`,
    ],
    [
      ['--redis', '127.0.0.1'],
      'redis: not a URL like redis://host:6379 (from --redis) (see shoal-tracker --help)\n',
    ],
    [
      ['--engine', 'ws', '--shared-port', 'true', '--port', '0'],
      'sharedPort: engine ws cannot share its port, only uws can (see shoal-tracker --help)\n',
    ],
    [['--config', '/nonexistent.json'], '--config: cannot read /nonexistent.json: there is no such file'],
    [['--port', 'many'], "port: 'many' is not a number (from --port) (see shoal-tracker --help)\n"],
    [['--engine', 'go'], "engine: 'go' is none of uws, ws (from --engine) (see shoal-tracker --help)\n"],
    [['--volume', '11'], "unknown option '--volume' (see shoal-tracker --help)\n"],
    [['extra'], 'too many arguments'],
    [['--port', '70000'], 'port: Too big: expected number to be <=65535 (from --port)'],
    [['--report-interval', '0'], 'reportIntervalSeconds: Too small: '],
    [['--tls-cert-file', 'x.pem'], 'tls: certFile and keyFile are wanted together'],
    [
      ['--tls-cert-file', 'x.pem', '--tls-key-file', 'y.pem', '--engine', 'uws'],
      'tls: engine uws has no TLS here',
    ],
    [
      ['--engine', 'ws', '--admission-deny-file', '/nonexistent'],
      'admission.denyFile: /nonexistent: there is no such file',
    ],
    [['--admission-exempt', '10.0.0.0/33'], 'admission.exempt.0: wanted is a range'],
  ])('used wrongly (%j) ends with 2 and says how to use it', async (args, message) => {
    const { code, stdout, stderr } = await ask({}, ...args)
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
    const { code, stderr } = await ask({}, '--config', await config(content))
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it.each([
    [{ SHOAL_TRACKER_LIMITS_MAX_SWARM: '7' }, 'SHOAL_TRACKER_LIMITS_MAX_SWARM: there is no such setting'],
    [
      { SHOAL_TRACKER_LIMITS_MAX_SWARMS: '0' },
      'limits.maxSwarms: Too small: expected number to be >=1 (from SHOAL_TRACKER_LIMITS_MAX_SWARMS)',
    ],
    [{ SHOAL_TRACKER_CONFIG: '/nonexistent.json' }, 'cannot read /nonexistent.json'],
  ])('names what is wrong in its environment (%j)', async (variables, message) => {
    const { code, stderr } = await ask(variables)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('takes flags over the environment over the file, and prints what comes of it', async () => {
    const file = await config({
      announceIntervalSeconds: 11,
      reportIntervalSeconds: 11,
      limits: { maxSwarms: 11, maxConnections: 11 },
      admission: { origins: ['https://a.example'] },
    })
    const variables = {
      SHOAL_TRACKER_CONFIG: file,
      SHOAL_TRACKER_REPORT_INTERVAL_SECONDS: '22',
      SHOAL_TRACKER_LIMITS_MAX_SWARMS: '22',
      SHOAL_TRACKER_ADMISSION_ORIGINS: 'https://b.example, https://*.c.example',
      SHOAL_TRACKER_PORT: 'tcp://10.0.0.1:8000',
      SHOAL_TRACKER_SERVICE_HOST: '10.0.0.1',
    }
    const { code, stdout } = await ask(variables, '--limits-max-swarms', '33', '--print-config')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      port: 8000,
      announceIntervalSeconds: 11,
      reportIntervalSeconds: 22,
      limits: { maxSwarms: 33, maxConnections: 11, maxPeersPerSocket: 64 },
      admission: { origins: ['https://b.example', 'https://*.c.example'] },
    })
  })

  it('prints no passwords', async () => {
    const { code, stdout } = await ask({}, '--redis', 'redis://user:secret@10.0.0.1:6379', '--print-config')
    expect([code, JSON.parse(stdout).redis]).toEqual([0, 'redis://user:***@10.0.0.1:6379'])
    expect(stdout).not.toContain('secret@')
  })

  it('helps', async () => {
    const { code, stdout } = await ask({}, '--help')
    expect(code).toBe(0)
    for (const flag of ['--redis', '--config', '--json', '--print-config', ...SETTING_KEYS.map(flagOf)]) {
      // One flag has a shorter name.
      expect(stdout).toContain(flag.replace('report-interval-seconds', 'report-interval'))
    }
  })
})
