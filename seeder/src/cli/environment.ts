import { SeederError } from '../errors.js'
import { firstFault, SETTINGS, type Settings } from './settings.js'

const PREFIX = 'SHOAL_SEEDER_'

/** What Kubernetes and Docker set beside a service called `shoal-seeder`: it is not meant for us. */
const SERVICE_LINK = /^SHOAL_SEEDER_(?:SERVICE_(?:HOST|PORT)|PORT(?:_\d+_(?:TCP|UDP).*)?$|NAME$|ENV_)/

/** Keys of `webrtc`, which have variables of their own. */
const WEBRTC = ['iceServers', 'bindAddress', 'portRange'] as const

/**
 * Settings in the environment: `SHOAL_SEEDER_HTTP_PORT` for `httpPort`. Lists are separated by commas;
 * `SHOAL_SEEDER_WEBRTC_PORT_RANGE` is `first-last`, and `SHOAL_SEEDER_WEBRTC_ICE_SERVERS` JSON.
 *
 * @throws SeederError (`usage`) that names the variable
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): Settings {
  const keys = new Map(Object.keys(SETTINGS.shape).map((key) => [variableOf(key), key]))
  const nested = new Map(
    WEBRTC.map((key) => [variableOf(`webrtc${key[0]?.toUpperCase()}${key.slice(1)}`), key]),
  )
  const settings: Record<string, unknown> = {}
  for (const [name, text = ''] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || (SERVICE_LINK.test(name) && !keys.has(name))) continue
    const key = keys.get(name)
    const part = nested.get(name)
    if (part !== undefined) {
      settings['webrtc'] = { ...(settings['webrtc'] as object | undefined), [part]: webrtcValue(part, text) }
    } else if (key !== undefined && key !== 'webrtc') {
      settings[key] = settingOf(key, text)
    } else {
      throw new SeederError('usage', `${name}: there is no such setting. See shoal-seeder --help.`)
    }
    const fault = firstFault(settings)
    if (fault !== null) throw new SeederError('usage', `${name} is wrong: ${fault.message}`)
  }
  return settings
}

function variableOf(key: string): string {
  return PREFIX + key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** As the configuration file would have it; what is none stays a text, for the schema to refuse. */
function settingOf(key: string, text: string): unknown {
  switch (key) {
    case 'origin':
    case 'tracker':
    case 'signedBy':
      return text.split(',').map((entry) => entry.trim())
    case 'httpPort':
    case 'directPort':
    case 'maxLinks':
      return /^\d+$/.test(text) ? Number(text) : text
    case 'json':
      return { true: true, '1': true, false: false, '0': false }[text] ?? text
    default:
      return text
  }
}

function webrtcValue(key: (typeof WEBRTC)[number], text: string): unknown {
  if (key === 'bindAddress') return text
  if (key === 'portRange') {
    const [first, last] = text.split('-').map(Number)
    return { first, last }
  }
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
