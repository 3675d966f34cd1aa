import { readFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { LOG_LEVELS } from './adapters/log.js'
import { OptionsError, readSettings } from './runtime/options.js'

/** The command line and the configuration file together, not yet validated. */
export interface Invocation {
  readonly options: Readonly<Record<string, unknown>>
  /** Print one JSON line when ready. */
  readonly json: boolean
}

/** The program was asked for something that it cannot begin with. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** 0 for `--help`, else 2. */
  readonly exitCode: number

  /** @param message empty when everything has been said */
  constructor(message: string, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}

interface Flags {
  readonly port?: number
  readonly host?: string
  readonly engine?: string
  readonly redis?: string
  readonly config?: string
  readonly json?: boolean
  readonly reportInterval?: number
  readonly logLevel?: string
}

/**
 * Reads the command line, and the configuration file that it names; a flag wins over the file.
 *
 * @param args without the program's own name
 * @throws UsageError
 * @throws OptionsError when the file cannot be read, is not a JSON object or holds something wrong
 */
export async function readInvocation(args: readonly string[]): Promise<Invocation> {
  const flags = readFlags(args)
  if (flags.redis !== undefined) throw new UsageError('--redis: clustering is not part of this version')
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config)
  const { port, host, engine, reportInterval, logLevel } = flags
  const given = Object.entries({ port, host, engine, reportIntervalSeconds: reportInterval, logLevel })
  return {
    options: { ...file, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) },
    json: flags.json === true,
  }
}

function readFlags(args: readonly string[]): Flags {
  const program = new Command('shoal-tracker')
    .description('WebTorrent-compatible tracker with statistics and a dashboard.')
    .option('--port <port>', 'port to listen on, 0 for a free one (default: 8000)', integer(0, 65_535))
    .option('--host <host>', 'address to listen on (default: 0.0.0.0)')
    .addOption(
      new Option('--engine <engine>', 'socket library (default: uws if it loads)').choices(['uws', 'ws']),
    )
    .option('--redis <url>', 'join a cluster (not part of this version)')
    .option('--config <file>', 'JSON file with options; flags win over it')
    .option('--json', 'print one JSON line with the URL when ready')
    .option(
      '--report-interval <seconds>',
      'seconds between the reports of peers (default: 10)',
      integer(1, 3600),
    )
    .addOption(
      new Option('--log-level <level>', 'least important level logged to stderr').choices(LOG_LEVELS),
    )
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .allowExcessArguments(false)
    .exitOverride()
  try {
    return program.parse(args, { from: 'user' }).opts<Flags>()
  } catch (error) {
    // Commander has written the error or the help by now.
    if (error instanceof CommanderError) throw new UsageError('', error.exitCode === 0 ? 0 : 2)
    throw error
  }
}

function integer(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (/^\d{1,9}$/.test(value) && number >= low && number <= high) return number
    throw new InvalidArgumentError(`A whole number from ${low} to ${high} is wanted.`)
  }
}

/** Commander writes "error: ..." and, for misspelt names, a second line with a guess. */
function oneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
  return `${said} (see shoal-tracker --help)\n`
}

async function readConfigFile(path: string): Promise<object> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new OptionsError(`--config: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new OptionsError(`--config: ${path} is not JSON (${(error as Error).message})`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionsError(`--config: ${path} does not hold a JSON object`)
  }
  try {
    readSettings(value)
  } catch (error) {
    if (error instanceof OptionsError) throw new OptionsError(`--config: ${path}: ${error.message}`)
    throw error
  }
  return value
}
