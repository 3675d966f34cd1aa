import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CliRun } from './testing/run-cli.js'
import { mediaBytes, mediaText, TestOrigin } from './testing/test-origin.js'

/** Nothing listens there. */
const TRACKER = ['--tracker', 'ws://127.0.0.1:9']

let origin: TestOrigin
let folder: string
const runs: CliRun[] = []

beforeEach(async () => {
  origin = await TestOrigin.start()
  folder = mkdtempSync(join(tmpdir(), 'shoal-cli-'))
})

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.kill('SIGKILL')
    await run.exit
  }
  await origin.stop()
  rmSync(folder, { recursive: true })
})

function run(...args: string[]): CliRun {
  const started = new CliRun(args)
  runs.push(started)
  return started
}

const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

describe('wrong use and bad luck are one clear line', () => {
  async function fails(code: number, text: RegExp, ...args: string[]): Promise<void> {
    const failed = run(...args)
    expect(await failed.exit).toBe(code)
    expect(failed.stderr).toMatch(text)
    expect(failed.stderr).toMatch(/^shoal-seeder: [^\n]*\n$/)
    expect(failed.stdout).toBe('')
  }

  test('no source', () => fails(2, /SOURCE is missing/, ...TRACKER))
  test('no tracker', () => fails(2, /no tracker is given/, 'http://127.0.0.1:9/a.m3u8'))
  test('an unknown option', () =>
    fails(2, /unknown option '--nonsense'\. See shoal-seeder --help\.$/m, 'a', '--nonsense'))
  test('a port that is none', () => fails(2, /Not a port: 0 to 65535/, 'a', '--http-port', '99999'))
  test('a size that is none', () =>
    fails(2, /such as 4294967296, 500MB or 4GiB/, 'a', '--cache-bytes', '4 apples'))

  test('a tracker of another scheme', () =>
    fails(2, /http:\/\/127.0.0.1:9 is not a ws:\/\/ or wss:\/\/ URL/, 'a', '--tracker', 'http://127.0.0.1:9'))

  test('a source of another scheme', () =>
    fails(2, /not an http:\/\/ or https:\/\/ URL/, 'ftp://127.0.0.1/a', ...TRACKER))

  test('a folder without content id', () =>
    fails(2, /a folder needs --content-id: viewers/, folder, ...TRACKER))

  test('a folder without playlist', () =>
    fails(1, /there is no playlist/, folder, '--content-id', 'x', ...TRACKER))

  test('an origin that does not answer', async () => {
    const url = origin.url('/a.m3u8?token=secret')
    await origin.stop()
    await fails(
      1,
      /cannot reach the origin: [^?]*\/a\.m3u8: the connection was refused\. Check/,
      url,
      ...TRACKER,
    )
    origin = await TestOrigin.start()
  })

  test('a playlist that is not there', () =>
    fails(1, /cannot load the playlist: .*\/a\.m3u8 answered HTTP 404/, origin.url('/a.m3u8'), ...TRACKER))

  test('a page in place of a playlist', () => {
    origin.put('/index.html', '<!doctype html>')
    return fails(1, /is not an HLS playlist/, origin.url('/index.html'), ...TRACKER)
  })

  test('a key that is not there', () => {
    origin.put('/a.m3u8', mediaText({ segments: [] }))
    return fails(
      1,
      /cannot read the key .*keygen/,
      origin.url('/a.m3u8'),
      ...TRACKER,
      '--key',
      join(folder, 'k'),
    )
  })

  test('a configuration that is not there, not JSON, or wrong', async () => {
    await fails(2, /there is no such file/, '--config', join(folder, 'none.json'))
    await fails(2, /is not JSON/, '--config', file('a.json', '{"tracker": '))
    await fails(2, /wrong: httpPort: /, '--config', file('b.json', '{"httpPort": "80"}'))
    await fails(
      2,
      /wrong: .*trackers"; known: source, origin, tracker, /,
      '--config',
      file('c.json', '{"trackers": []}'),
    )
  })

  test('an address that is not of this machine', async () => {
    const config = file('a.json', '{"webrtc": {"bindAddress": "192.0.2.77"}}')
    await fails(
      2,
      /bindAddress 192\.0\.2\.77 is no address of this machine/,
      'a',
      ...TRACKER,
      '--config',
      config,
    )
  })

  test('a port that is in use', async () => {
    origin.put('/a.m3u8', mediaText({ segments: [] }))
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const port = String(typeof address === 'object' && address !== null ? address.port : 0)
    const http = ['--http-port', port, '--host', '127.0.0.1']
    await fails(
      1,
      /port \d+ of 127.0.0.1 is in use: choose another/,
      origin.url('/a.m3u8'),
      ...TRACKER,
      ...http,
    )
    other.close()
  })
})

test('help and version go to standard output', async () => {
  const help = run('--help')
  const version = run('--version')
  expect([await help.exit, await version.exit]).toEqual([0, 0])
  expect(help.stdout).toContain('--content-id')
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('keygen writes a private file and prints the public key', async () => {
  const key = join(folder, 'key.pem')
  const made = run('keygen', key)
  expect(await made.exit).toBe(0)
  expect(made.stdout).toMatch(/^[\w-]{43}\n$/)
  expect(statSync(key).mode & 0o777).toBe(0o600)
  const again = run('keygen', key)
  expect(await again.exit).toBe(1)
  expect(again.stderr).toMatch(/^shoal-seeder: .*the file exists.*\n$/)
})

test('keygen makes keys for browsers without Ed25519 too', async () => {
  const made = run('keygen', join(folder, 'p256.pem'), '--algorithm', 'p256')
  expect(await made.exit).toBe(0)
  expect(made.stdout).toMatch(/^B[\w-]{86}\n$/)
  const wrong = run('keygen', join(folder, 'rsa.pem'), '--algorithm', 'rsa')
  expect(await wrong.exit).toBe(2)
  expect(wrong.stderr).toMatch(/^shoal-seeder: .*ed25519, p256.*\n$/)
})

test('keys and sign write what a publisher serves', async () => {
  const [root, key] = [join(folder, 'root.pem'), join(folder, 'key.pem')]
  const made = [run('keygen', root), run('keygen', key)]
  expect(await Promise.all(made.map(({ exit }) => exit))).toEqual([0, 0])
  const [by, publicKey] = made.map(({ stdout }) => stdout.trim())
  const document = join(folder, 'keys.json')
  const keys = run('keys', document, '--root', root, '--add', publicKey ?? '', '--expires-days', '30')
  expect(await keys.exit).toBe(0)
  expect(JSON.parse(readFileSync(document, 'utf8'))).toMatchObject({ by, keys: [{ key: publicKey }] })

  file('index.m3u8', mediaText({ segments: ['a.ts'] }))
  writeFileSync(join(folder, 'a.ts'), mediaBytes(40_000, 1))
  const signed = run('sign', folder, '--content-id', 'https://cdn.example/a.m3u8', '--key', key)
  expect(await signed.exit).toBe(0)
  expect(signed.stdout).toBe(`signed 1 segments with ${publicKey}\n`)
  expect(readFileSync(join(folder, 'a.ts.shoal'), 'latin1')).toMatch(/^shoal-sidecar-1\n/)

  const bare = run('sign', folder, '--key', key)
  expect(await bare.exit).toBe(2)
  expect(bare.stderr).toMatch(/^shoal-seeder: required option '--content-id <id>' not specified.*\n$/)
})

describe('a seeder that runs', () => {
  beforeEach(() => {
    origin.put('/a.m3u8', mediaText({ segments: ['a.ts'] }))
    origin.put('/a.ts', mediaBytes(1_000, 1))
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('says when it is ready, and ends at %s', async (signal) => {
    const key = join(folder, 'key.pem')
    const made = run('keygen', key)
    await made.exit
    const config = file(
      'seeder.json',
      JSON.stringify({ tracker: TRACKER[1], httpPort: 0, host: '127.0.0.1', key }),
    )
    const seeder = run(origin.url('/a.m3u8?token=1'), '--config', config, '--json')
    await vi.waitFor(() => expect(seeder.stdout).toContain('\n'), { timeout: 10_000 })
    const ready = JSON.parse(seeder.stdout) as Record<'url' | 'infoHash' | 'publicKey' | 'contentId', string>
    expect(ready.contentId).toBe(origin.url('/a.m3u8'))
    expect(ready.infoHash).toMatch(/^[0-9a-f]{40}$/)
    expect(`${ready.publicKey}\n`).toBe(made.stdout)
    await vi.waitFor(async () => expect((await fetch(`${ready.url}/a.ts`)).status).toBe(200))
    await vi.waitFor(() => expect(seeder.stderr).toContain('no tracker can be reached'), { timeout: 10_000 })
    const asked = performance.now()
    seeder.kill(signal)
    expect(await seeder.exit).toBe(0)
    expect(performance.now() - asked).toBeLessThan(2_000)
    expect(seeder.stderr.match(/no tracker can be reached/g)).toHaveLength(1)
  })
})
