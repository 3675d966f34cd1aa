import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { destination, pino } from 'pino'
import { type Invocation, readArguments } from './cli/arguments.js'
import { logProgress, showProgress } from './cli/progress.js'
import type { KeysInvocation } from './cli/signing-commands.js'
import { SeederError } from './errors.js'
import { cryptoRandom, nodeClock } from './host/node-clock.js'
import { type RunningSeeder, startSeeder } from './index.js'
import { type SignOptions, signFolder } from './runtime/sign-folder.js'
import { writeKeyDocument } from './signing/key-document.js'
import { keyFromFile, writeNewKey } from './signing/keys.js'

/** Exit codes: done, failed, used wrongly. */
const DONE = 0
const FAILED = 1
const USED_WRONGLY = 2

/** Time for the goodbyes after a signal, in milliseconds; then the process ends regardless. */
const CLOSE_TIMEOUT_MS = 1_500

/**
 * The command `shoal-seeder`: runs until a signal ends it.
 *
 * @param args without the names of Node and of the script
 */
export async function main(args: readonly string[]): Promise<void> {
  try {
    const invocation = readArguments(args, version(), process.env)
    switch (invocation.kind) {
      case 'keygen':
        process.stdout.write(`${writeNewKey(invocation.file, invocation.algorithm)}\n`)
        return
      case 'keys':
        return writeKeys(invocation)
      case 'sign':
        return await sign(invocation)
      case 'seed':
        return await seed(invocation)
    }
  } catch (error) {
    process.exit(report(error))
  }
}

function writeKeys({ file, rootFile, change }: KeysInvocation): void {
  const root = keyFromFile(rootFile)
  const now = Math.floor(Date.now() / 1000)
  const { keys } = writeKeyDocument(file, root, change, now)
  const lines = keys.map(({ key, notAfter }) =>
    notAfter === undefined ? `  ${key}\n` : `  ${key} until ${new Date(notAfter * 1000).toISOString()}\n`,
  )
  process.stdout.write(`${file}, signed by ${root.publicKey}\n${lines.join('')}`)
}

async function sign(options: SignOptions): Promise<void> {
  const log = pino({ level: 'warn', base: null }, destination({ dest: 2, sync: true }))
  const run = await signFolder(options, { clock: nodeClock, random: cryptoRandom(), log })
  process.on('SIGTERM', run.stop)
  process.on('SIGINT', run.stop)
  const { publicKey, signed, failed } = await run.done
  process.stdout.write(`signed ${signed} segments with ${publicKey}\n`)
  process.exit(failed === 0 ? DONE : FAILED)
}

async function seed({ options, json, logLevel }: Extract<Invocation, { kind: 'seed' }>): Promise<void> {
  // Standard output is for the ready line; synchronous, so that nothing is lost at the end.
  const stderr = destination({ dest: 2, sync: true })
  let clearProgress = () => {}
  const lines = {
    write: (line: string) => {
      clearProgress()
      stderr.write(line)
    },
  }
  const log = pino({ level: logLevel, base: null }, lines)
  let ended = false
  let close: () => Promise<void> = async () => undefined
  const end = () => {
    if (ended) return
    ended = true
    // The WebRTC library's threads would keep the process alive.
    setTimeout(() => process.exit(DONE), CLOSE_TIMEOUT_MS)
    close().then(
      () => process.exit(DONE),
      () => process.exit(FAILED),
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  const seeder = await startSeeder({ ...options, log })
  close = seeder.close
  if (ended) {
    await close()
    process.exit(DONE)
  }
  const { url, infoHash, publicKey, contentId } = seeder
  const direct = seeder.direct === null ? {} : { direct: seeder.direct, dial: seeder.dial }
  const ready = { url, infoHash, publicKey, contentId, ...direct }
  log.info(ready, 'seeding')
  if (json) process.stdout.write(`${JSON.stringify(ready)}\n`)
  else process.stdout.write(readyText(seeder))
  if (process.stderr.isTTY && !json) {
    clearProgress = showProgress(process.stderr, seeder.snapshot).clear
  } else {
    logProgress(log, seeder.snapshot)
  }
}

function readyText({ url, publicKey, contentId, dial }: RunningSeeder): string {
  const direct = dial === null ? '' : `  dial ${dial}\n`
  return `seeding ${contentId}\n  public key ${publicKey}\n  HTTP ${url ?? 'off'}\n${direct}`
}

/** One line that says what went wrong; the exit code that fits. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? DONE : USED_WRONGLY
  }
  if (error instanceof SeederError) {
    process.stderr.write(`shoal-seeder: ${error.message}\n`)
    return error.code === 'usage' ? USED_WRONGLY : FAILED
  }
  process.stderr.write(`shoal-seeder: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
  return FAILED
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string }
  return version
}
