import { readFileSync } from 'node:fs'
import { SeederError } from '../errors.js'
import { firstFault, SETTINGS, type Settings } from './settings.js'

/**
 * Reads a configuration file.
 *
 * @throws SeederError (`usage`) that names the first thing that is wrong in it
 */
export function readConfig(file: string): Settings {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw usage(
      `cannot read the configuration ${file}: ${missing ? 'there is no such file' : String(error)}.`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)
    throw usage(`the configuration ${file} is not JSON: ${reason}.`)
  }
  const fault = firstFault(value)
  if (fault === null) return SETTINGS.parse(value)
  const place = fault.key === '' ? '' : `${fault.key}: `
  const known = fault.unknown ? `; known: ${Object.keys(SETTINGS.shape).join(', ')}` : ''
  throw usage(`the configuration ${file} is wrong: ${place}${fault.message.replace(/\.$/, '')}${known}.`)
}

function usage(message: string): SeederError {
  return new SeederError('usage', message)
}
