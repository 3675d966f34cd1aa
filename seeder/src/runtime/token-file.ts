import { readFile } from 'node:fs/promises'
import { SeederError } from '../errors.js'
import type { Logger } from '../log.js'

/** Longest token that a tracker takes, in characters (docs/protocol.md). */
const MAX_TOKEN_CHARS = 2048

/**
 * The join token that a file holds, for a swarm that asks for it when it joins and whenever the tracker refuses
 * the last one. A file that cannot be read later is said in the log, and the last token goes on.
 *
 * @throws SeederError (`bad-token-file`) where there is none at the start
 */
export async function tokenFromFile(file: string, log: Logger): Promise<() => Promise<string>> {
  let last = await read(file)
  return async () => {
    try {
      last = await read(file)
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'the last token is used')
    }
    return last
  }
}

async function read(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw bad(`cannot read the token file ${file} (${(error as NodeJS.ErrnoException).code}).`)
  }
  const token = text.trim()
  if (token === '') throw bad(`the token file ${file} is empty.`)
  if (token.length > MAX_TOKEN_CHARS || /\s/.test(token)) {
    throw bad(`the token file ${file} does not hold one token of up to ${MAX_TOKEN_CHARS} characters.`)
  }
  return token
}

function bad(message: string): SeederError {
  return new SeederError('bad-token-file', message)
}
