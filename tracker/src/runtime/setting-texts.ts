import type { SettingKey } from './settings-keys.js'

/** A value in a text is not what its setting wants; the message does not name the setting. */
export class TextError extends Error {
  override readonly name = 'TextError'
}

/** Reads the text of an environment variable or a flag. @throws TextError */
export function readText({ form, choices }: SettingKey, text: string): unknown {
  switch (form) {
    case 'number':
      if (!/^-?\d{1,15}(\.\d{1,9})?$/.test(text)) throw new TextError(`${quote(text)} is not a number`)
      return Number(text)
    case 'boolean':
      if (text === 'true' || text === '1') return true
      if (text === 'false' || text === '0') return false
      throw new TextError(`${quote(text)} is neither true nor false`)
    case 'list':
      return text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '')
    case 'json':
      try {
        return JSON.parse(text)
      } catch {
        throw new TextError(`${quote(text)} is not JSON`)
      }
    default:
      if (choices !== null && !choices.includes(text)) {
        throw new TextError(`${quote(text)} is none of ${choices.join(', ')}`)
      }
      return text
  }
}

/** `--limits-max-swarms` */
export function flagOf({ path }: SettingKey): string {
  return `--${wordsOf(path).join('-')}`
}

/** `SHOAL_TRACKER_LIMITS_MAX_SWARMS` */
export function variableOf({ path }: SettingKey): string {
  return `${VARIABLE_PREFIX}${wordsOf(path).join('_').toUpperCase()}`
}

export const VARIABLE_PREFIX = 'SHOAL_TRACKER_'

function wordsOf(path: readonly string[]): string[] {
  return path
    .map((key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
    .flatMap((key) => key.split('-'))
}

function quote(text: string): string {
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`.replace(/[\n\r]/g, ' ')
}
