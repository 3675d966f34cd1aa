import { readFile } from 'node:fs/promises'
import { OptionsError, readSettings, SETTING_KEYS } from './options.js'
import { readText, TextError, VARIABLE_PREFIX, variableOf } from './setting-texts.js'
import type { SettingKey } from './settings-keys.js'

/** Largest configuration file, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024

/**
 * What Kubernetes and Docker put into the environment beside a service called `shoal-tracker`: it is
 * not meant for us.
 */
const SERVICE_LINK = /^SHOAL_TRACKER_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP)|NAME$|ENV_)/

type Tree = Record<string, unknown>

/** Settings as they are put together, with the place that each comes from. */
export interface Configuration {
  /** As `createTracker` takes them. */
  readonly options: Readonly<Tree>
  /** Where the value at a path comes from, for people. */
  sourceOf(path: readonly PropertyKey[]): string | null
}

/** One setting by text: a flag or a variable of the environment. */
export interface TextSetting {
  readonly key: SettingKey
  readonly text: string
  readonly source: string
}

/** Settings in the environment. @throws OptionsError for a name that is no setting's */
export function readEnvironment(environment: NodeJS.ProcessEnv): TextSetting[] {
  const byName = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]))
  const found: TextSetting[] = []
  for (const [name, text = ''] of Object.entries(environment)) {
    if (!name.startsWith(VARIABLE_PREFIX) || SERVICE_LINK.test(name)) continue
    if (name === `${VARIABLE_PREFIX}PORT` && text.includes('://')) continue
    const key = byName.get(name)
    if (key === undefined) throw new OptionsError(`${name}: there is no such setting`)
    found.push({ key, text, source: name })
  }
  return found
}

/**
 * Puts the settings together: what stands later in `texts` wins over what stands earlier, and all of
 * them over the file.
 *
 * @param file path of a JSON file, or undefined
 * @throws OptionsError when the file cannot be read, or anything in it or in the texts is wrong
 */
export async function configure(
  file: string | undefined,
  texts: readonly TextSetting[],
): Promise<Configuration> {
  const options: Tree = file === undefined ? {} : await readConfigFile(file)
  const sources = new Map<string, string>()
  const sourceOf = (path: readonly PropertyKey[]): string | null => {
    for (let length = path.length; length > 0; length--) {
      const source = sources.get(path.slice(0, length).join('.'))
      if (source !== undefined) return source
    }
    return file ?? null
  }
  // The file on its own first: a mistake in it must not hide behind a flag.
  if (file !== undefined) readSettings(options, sourceOf)
  for (const { key, text, source } of texts) {
    const path = key.path.join('.')
    try {
      setAt(options, key.path, readText(key, text))
    } catch (error) {
      if (error instanceof TextError) throw new OptionsError(`${path}: ${error.message} (from ${source})`)
      throw error
    }
    sources.set(path, source)
  }
  readSettings(options, sourceOf)
  return { options, sourceOf }
}

function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const below = tree[key]
  const branch: Tree = typeof below === 'object' && below !== null ? { ...below } : {}
  tree[key] = branch
  setAt(branch, rest, value)
}

async function readConfigFile(path: string): Promise<Tree> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code
    throw new OptionsError(`--config: cannot read ${path}: ${why}`)
  }
  if (text.length > MAX_FILE_BYTES) throw new OptionsError(`--config: ${path} is larger than 1 MiB`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new OptionsError(`--config: ${path} is not JSON (${oneLine((error as Error).message)})`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionsError(`--config: ${path} does not hold a JSON object`)
  }
  return value as Tree
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
