import { Command, InvalidArgumentError, Option } from 'commander'
import { SeederError } from '../errors.js'
import type { SeederOptions } from '../runtime/options.js'
import type { SignOptions } from '../runtime/sign-folder.js'
import { ALGORITHMS, type Algorithm } from '../signing/keys.js'
import { bytesOf, NOT_BYTES } from './byte-sizes.js'
import { readConfig } from './config-file.js'
import { readEnvironment } from './environment.js'
import { firstFault, LOG_LEVELS, SETTINGS, type Settings } from './settings.js'
import { addKeysCommand, addSignCommand, collect, type KeysInvocation } from './signing-commands.js'

/** What the command line asks for. */
export type Invocation =
  | {
      readonly kind: 'seed'
      readonly options: SeederOptions
      readonly json: boolean
      readonly logLevel: (typeof LOG_LEVELS)[number]
    }
  | { readonly kind: 'keygen'; readonly file: string; readonly algorithm: Algorithm }
  | ({ readonly kind: 'keys' } & KeysInvocation)
  | ({ readonly kind: 'sign' } & SignOptions)

type Flags = Settings & { readonly config?: string }

/**
 * Reads the command line; the environment gives what it does not, and the configuration file what neither
 * does.
 *
 * @param args without the names of Node and of the script
 * @throws CommanderError for --help, --version and wrong usage; its text has been written
 * @throws SeederError (`usage`)
 */
export function readArguments(
  args: readonly string[],
  version: string,
  environment: NodeJS.ProcessEnv,
): Invocation {
  let invocation: Invocation | null = null
  const program = new Command('shoal-seeder')
    .description('Follows an HLS origin and serves its segments to the viewers of a Shoal swarm.')
    .version(version)
    .exitOverride()
    // Commands have options of their own with the same names.
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .argument('[source]', 'folder with a playlist, or URL of a multivariant or media playlist')
    .option('--origin <url>', 'the same playlist at another origin; may be repeated', collect)
    .option('--tracker <url>', 'tracker, ws:// or wss://; may be repeated', collect)
    .option('--http-port <n>', 'serve what is held by HTTP too; 0 takes a free port', port)
    .option('--host <address>', 'address to listen on (default: all)')
    .option('--public-url <url>', 'where viewers reach the HTTP server, for when the origin fails')
    .option('--direct-port <n>', 'UDP port that viewers dial without a tracker; 0 takes a free port', port)
    .option('--direct-host <address>', "what viewers are told, where it is not this machine's address")
    .option('--admit-secrets <file>', 'serve only peers with a join token: secrets (HS256), one a line')
    .option('--admit-keys <file>', 'the same: public keys (Ed25519), PEM')
    .option('--key <file>', 'private key to sign with (see keygen); default: a new one at each start')
    .option('--signed-by <key>', 'public key of the manifests beside the segments (see sign)', collect)
    .option('--token <token>', 'join token, for trackers that want one')
    .option('--token-file <file>', 'file with the join token, read anew when the tracker refuses the last')
    .option('--cache <folder>', 'keep segments of a URL source on disk (default: in memory)')
    .option('--cache-bytes <n>', 'bytes on disk at most, such as 500MB or 4GiB (default: 4GiB)', bytes)
    .option(
      '--upload-bytes-per-second <n>',
      'uplink for peers at most, such as 10MB (default: no cap)',
      bytes,
    )
    .option('--max-links <n>', 'connections to peers at most (default: 200)', count)
    .option('--content-id <id>', "the swarm's content id (default: the URL without query)")
    .option('--name <name>', "the title's name on the dashboard")
    .option('--config <file>', 'JSON file with these options in camel case')
    .option('--json', 'print one line of JSON when ready, and log progress as JSON')
    .addOption(new Option('--log-level <level>', 'what to log to stderr (default: info)').choices(LOG_LEVELS))
    .action((source: string | undefined, flags: Flags) => {
      invocation = seedInvocation(source, flags, environment)
    })
  program
    .command('keygen')
    .description('make a key, write it to a file, and print its public key')
    .argument('<file>')
    .exitOverride()
    .addOption(new Option('--algorithm <name>', 'what to sign with').choices(ALGORITHMS).default('ed25519'))
    .action((file: string, { algorithm }: { readonly algorithm: Algorithm }) => {
      invocation = { kind: 'keygen', file, algorithm }
    })
  addKeysCommand(program, (read) => {
    invocation = { kind: 'keys', ...read }
  })
  addSignCommand(program, (read) => {
    invocation = { kind: 'sign', ...read }
  })
  program.parse(args, { from: 'user' })
  if (invocation === null) throw new SeederError('usage', 'nothing to do. See shoal-seeder --help.')
  return invocation
}

function seedInvocation(
  argument: string | undefined,
  { config, ...flags }: Flags,
  environment: NodeJS.ProcessEnv,
): Invocation {
  const { SHOAL_SEEDER_CONFIG: configVariable, ...variables } = environment
  const file = config ?? configVariable
  const given = argument === undefined ? flags : { ...flags, source: argument }
  const fault = firstFault(given)
  if (fault !== null) throw new SeederError('usage', `${flagOf(fault.key)} is wrong: ${fault.message}`)
  const below = file === undefined ? {} : readConfig(file)
  const between = readEnvironment(variables)
  const webrtc = { ...below.webrtc, ...between.webrtc }
  const settings = SETTINGS.parse({ ...below, ...between, webrtc, ...given })
  const {
    source,
    httpPort,
    host,
    publicUrl,
    cache,
    cacheBytes,
    directPort,
    directHost,
    admitSecrets,
    admitKeys,
  } = settings
  if (source === undefined) {
    throw new SeederError('usage', 'SOURCE is missing: shoal-seeder SOURCE --tracker URL. See --help.')
  }
  if (directHost !== undefined && directPort === undefined) {
    throw new SeederError('usage', '--direct-host goes with --direct-port.')
  }
  if (publicUrl !== undefined && httpPort === undefined) {
    throw new SeederError('usage', '--public-url goes with --http-port.')
  }
  if (settings.token !== undefined && settings.tokenFile !== undefined) {
    throw new SeederError('usage', '--token and --token-file cannot both be given.')
  }
  const options: SeederOptions = {
    source,
    origins: listOf(settings.origin),
    trackers: listOf(settings.tracker),
    contentId: settings.contentId,
    name: settings.name,
    http: httpPort === undefined ? undefined : { port: httpPort, host, publicUrl },
    direct: directPort === undefined ? undefined : { port: directPort, host: directHost },
    tokens:
      admitSecrets === undefined && admitKeys === undefined
        ? undefined
        : { secretsFile: admitSecrets, keysFile: admitKeys },
    keyFile: settings.key,
    signedBy: settings.signedBy,
    token: settings.token,
    tokenFile: settings.tokenFile,
    cache: cache === undefined ? undefined : { folder: cache, bytes: cacheBytes },
    memoryBytes: settings.memoryBytes,
    webrtc: settings.webrtc,
    upload: { maxLinks: settings.maxLinks, bytesPerSecond: settings.uploadBytesPerSecond },
  }
  return { kind: 'seed', options, json: settings.json === true, logLevel: settings.logLevel ?? 'info' }
}

function listOf(texts: string | readonly string[] | undefined): readonly string[] {
  return texts === undefined ? [] : [texts].flat()
}

function flagOf(key: string): string {
  return key === 'source' ? 'SOURCE' : `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function port(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65535) throw new InvalidArgumentError('Not a port: 0 to 65535.')
  return number
}

function count(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1) throw new InvalidArgumentError('Not a number above 0.')
  return number
}

function bytes(value: string): number {
  const number = bytesOf(value)
  if (number === null) throw new InvalidArgumentError(NOT_BYTES)
  return number
}

/** Commander writes "error: ..."; ours begin with the program's name and end with where to look. */
function oneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
  return `shoal-seeder: ${said.replace(/\.$/, '')}. See shoal-seeder --help.\n`
}
