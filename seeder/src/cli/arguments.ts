import { Command, InvalidArgumentError, Option } from 'commander'
import { SeederError } from '../errors.js'
import type { SeederOptions } from '../runtime/options.js'
import { type Config, LOG_LEVELS, readConfig } from './config-file.js'

/** What the command line asks for. */
export type Invocation =
  | {
      readonly kind: 'seed'
      readonly options: SeederOptions
      readonly json: boolean
      readonly logLevel: (typeof LOG_LEVELS)[number]
    }
  | { readonly kind: 'keygen'; readonly file: string }

interface Flags {
  readonly tracker?: readonly string[]
  readonly httpPort?: number
  readonly host?: string
  readonly key?: string
  readonly cache?: string
  readonly cacheBytes?: number
  readonly contentId?: string
  readonly name?: string
  readonly config?: string
  readonly json?: boolean
  readonly logLevel?: (typeof LOG_LEVELS)[number]
}

/**
 * Reads the command line; the configuration file gives what the command line does not.
 *
 * @param args without the names of Node and of the script
 * @throws CommanderError for --help, --version and wrong usage; its text has been written
 * @throws SeederError (`usage`)
 */
export function readArguments(args: readonly string[], version: string): Invocation {
  let invocation: Invocation | null = null
  const program = new Command('shoal-seeder')
    .description('Follows an HLS origin and serves its segments to the viewers of a Shoal swarm.')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .argument('[source]', 'folder with a playlist, or URL of a multivariant or media playlist')
    .option('--tracker <url>', 'tracker, ws:// or wss://; may be repeated', collect)
    .option('--http-port <n>', 'serve what is held by HTTP too; 0 takes a free port', port)
    .option('--host <address>', 'address to listen on (default: all)')
    .option('--key <file>', 'private key to sign with (see keygen); default: a new one at each start')
    .option('--cache <folder>', 'keep segments of a URL source on disk (default: in memory)')
    .option('--cache-bytes <n>', 'bytes on disk at most, such as 500MB or 4GiB (default: 4GiB)', bytes)
    .option('--content-id <id>', "the swarm's content id (default: the URL without query)")
    .option('--name <name>', "the title's name on the dashboard")
    .option('--config <file>', 'JSON file with these options in camel case')
    .option('--json', 'print one line of JSON when ready')
    .addOption(new Option('--log-level <level>', 'what to log to stderr (default: info)').choices(LOG_LEVELS))
    .action((source: string | undefined, flags: Flags) => {
      invocation = seedInvocation(source, flags)
    })
  program
    .command('keygen')
    .description('make a key, write it to a file, and print its public key')
    .argument('<file>')
    .exitOverride()
    .action((file: string) => {
      invocation = { kind: 'keygen', file }
    })
  program.parse(args, { from: 'user' })
  if (invocation === null) throw new SeederError('usage', 'nothing to do. See shoal-seeder --help.')
  return invocation
}

function seedInvocation(argument: string | undefined, flags: Flags): Invocation {
  const config: Config = flags.config === undefined ? {} : readConfig(flags.config)
  const source = argument ?? config.source
  if (source === undefined) {
    throw new SeederError('usage', 'SOURCE is missing: shoal-seeder SOURCE --tracker URL. See --help.')
  }
  const trackers = flags.tracker ?? (config.tracker === undefined ? [] : [config.tracker].flat())
  const port = flags.httpPort ?? config.httpPort
  const host = flags.host ?? config.host
  const folder = flags.cache ?? config.cache
  const options: SeederOptions = {
    source,
    trackers,
    contentId: flags.contentId ?? config.contentId,
    name: flags.name ?? config.name,
    http: port === undefined ? undefined : { port, host },
    keyFile: flags.key ?? config.key,
    cache: folder === undefined ? undefined : { folder, bytes: flags.cacheBytes ?? config.cacheBytes },
    memoryBytes: config.memoryBytes,
    webrtc: config.webrtc,
    upload: { maxLinks: config.maxLinks, bytesPerSecond: config.uploadBytesPerSecond },
  }
  const logLevel = flags.logLevel ?? config.logLevel ?? 'info'
  return { kind: 'seed', options, json: flags.json === true, logLevel }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function port(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65535) throw new InvalidArgumentError('Not a port: 0 to 65535.')
  return number
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
}

function bytes(value: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(value) ?? []
  const factor = UNITS[unit.toUpperCase()]
  if (number === '' || factor === undefined || Number(number) === 0) {
    throw new InvalidArgumentError('Not a number of bytes, such as 4294967296, 500MB or 4GiB.')
  }
  return Math.floor(Number(number) * factor)
}

/** Commander writes "error: ..."; ours begin with the program's name and end with where to look. */
function oneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
  return `shoal-seeder: ${said.replace(/\.$/, '')}. See shoal-seeder --help.\n`
}
