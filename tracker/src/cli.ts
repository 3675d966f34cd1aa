import { Command, CommanderError, Option } from 'commander'
import type { TextSetting } from './runtime/configuration.js'
import { configure, readEnvironment } from './runtime/configuration.js'
import { SETTING_KEYS } from './runtime/options.js'
import { flagOf, VARIABLE_PREFIX } from './runtime/setting-texts.js'
import type { SettingKey } from './runtime/settings-keys.js'

/** Command line, environment and configuration file together. */
export interface Invocation {
  readonly options: Readonly<Record<string, unknown>>
  /** Print one JSON line when ready. */
  readonly json: boolean
  /** Print the settings and end. */
  readonly printConfig: boolean
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

const HELP_AFTER = `
Settings are taken from flags, then from the environment, then from the file of --config (a JSON
object), then from the defaults. The variable of --limits-max-swarms is
SHOAL_TRACKER_LIMITS_MAX_SWARMS, its key in the file {"limits": {"maxSwarms": 100000}}; the others are
named alike. Lists are separated by commas.`

/** Shorter names of some flags. */
const SHORT_FLAGS: Readonly<Record<string, string>> = { '--report-interval-seconds': '--report-interval' }

/**
 * Reads the command line, the environment and the configuration file that they name.
 *
 * @param args without the program's own name
 * @throws UsageError
 * @throws OptionsError for a setting that is wrong, wherever it stands
 */
export async function readInvocation(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Invocation> {
  const values = readFlags(args)
  const { config = environment[CONFIG_VARIABLE], json, printConfig } = values
  const flags: TextSetting[] = []
  for (const key of SETTING_KEYS) {
    const text = values[nameIn(flagNameOf(key))]
    if (typeof text === 'string') flags.push({ key, text, source: flagNameOf(key) })
  }
  const { [CONFIG_VARIABLE]: _, ...variables } = environment
  const file = typeof config === 'string' ? config : undefined
  const { options } = await configure(file, [...readEnvironment(variables), ...flags])
  return { options, json: json === true, printConfig: printConfig === true }
}

const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`

function readFlags(args: readonly string[]): Readonly<Record<string, unknown>> {
  const program = new Command('shoal-tracker')
    .description('WebTorrent-compatible tracker with statistics and a dashboard.')
    .option('--config <file>', 'JSON file with settings')
    .option('--json', 'print one JSON line with the URL when ready')
    .option('--print-config', 'print the settings as they are put together, and end')
  for (const key of SETTING_KEYS) {
    program.addOption(new Option(`${flagNameOf(key)} ${placeholderOf(key)}`, helpOf(key)))
  }
  program
    .addHelpText('after', HELP_AFTER)
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .allowExcessArguments(false)
    .exitOverride()
  try {
    return program.parse(args, { from: 'user' }).opts<Record<string, unknown>>()
  } catch (error) {
    // Commander has written the error or the help by now.
    if (error instanceof CommanderError) throw new UsageError('', error.exitCode === 0 ? 0 : 2)
    throw error
  }
}

function flagNameOf(key: SettingKey): string {
  const flag = flagOf(key)
  return SHORT_FLAGS[flag] ?? flag
}

/** The name that Commander keeps a flag's value under. */
function nameIn(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function placeholderOf({ form, choices }: SettingKey): string {
  return choices === null ? `<${form === 'boolean' ? 'true|false' : form}>` : `<${choices.join('|')}>`
}

function helpOf({ description, fallback }: SettingKey): string {
  const shown = Array.isArray(fallback) ? fallback.join(',') : fallback
  return shown === undefined || shown === '' ? description : `${description} (default: ${shown})`
}

/** Commander writes "error: ..." and, for misspelt names, a second line with a guess. */
function oneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
  return `${said} (see shoal-tracker --help)\n`
}
