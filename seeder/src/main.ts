import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { destination, pino } from 'pino'
import { type Invocation, readArguments } from './cli/arguments.js'
import { logProgress, showProgress } from './cli/progress.js'
import { SeederError } from './errors.js'
import { type RunningSeeder, startSeeder } from './index.js'
import { writeNewKey } from './signing/signer.js'

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
    if (invocation.kind === 'keygen') {
      process.stdout.write(`${writeNewKey(invocation.file)}\n`)
      return
    }
    await seed(invocation)
  } catch (error) {
    process.exit(report(error))
  }
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
