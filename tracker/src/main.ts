import { createLog } from './adapters/log.js'
import { ListenError } from './adapters/server-port.js'
import { readInvocation, UsageError } from './cli.js'
import { createTracker } from './runtime/create-tracker.js'
import { OptionsError, readSettings } from './runtime/options.js'

/**
 * The program `shoal-tracker`: runs until SIGTERM or SIGINT.
 *
 * @param args the command line without node and the script
 * @returns the exit code: 0 ended by a signal, 1 failed, 2 used wrongly
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { options, json, printConfig } = await readInvocation(args)
    const settings = readSettings(options)
    if (printConfig) {
      process.stdout.write(`${withoutPasswords(JSON.stringify(settings, null, 2))}\n`)
      return 0
    }
    const log = createLog(settings.logLevel)
    const ended = nextSignal()
    const endedAgain = ended.then(nextSignal)
    const tracker = await createTracker({ ...options, log })
    const { url, engine } = tracker
    const dashboard = `${url}/dashboard/`
    process.stdout.write(
      json ? `${JSON.stringify({ url, engine, dashboard })}\n` : `Tracker: ${url}  Dashboard: ${dashboard}\n`,
    )
    const signal = await ended
    log.info({ signal }, 'tracker stops: clients are sent away, a second signal ends it at once')
    await Promise.race([tracker.drain(), endedAgain])
    await tracker.close()
    log.info({}, 'tracker has stopped')
    return 0
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, error.exitCode)
    if (error instanceof OptionsError) return complain(`${error.message} (see shoal-tracker --help)`, 2)
    if (error instanceof ListenError) return complain(error.message, 1)
    throw error
  }
}

function complain(message: string, exitCode: number): number {
  if (message !== '') process.stderr.write(`${message}\n`)
  return exitCode
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

/** URLs of other servers may hold one. */
function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s/:@"]*):[^\s/@"]*@/g, '$1:***@')
}
