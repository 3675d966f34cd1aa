import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { SeederError } from '../errors.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const PORT = z.int().min(1).max(65535)

const ICE_SERVER = z.strictObject({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().exactOptional(),
  credential: z.string().exactOptional(),
})

/** What `--config FILE` may hold: JSON, the names of the options in camel case. */
const CONFIG = z.strictObject({
  source: z.string().optional(),
  tracker: z.union([z.string(), z.array(z.string())]).optional(),
  contentId: z.string().optional(),
  name: z.string().optional(),
  httpPort: z.int().min(0).max(65535).optional(),
  host: z.string().optional(),
  key: z.string().optional(),
  cache: z.string().optional(),
  cacheBytes: z.int().positive().optional(),
  memoryBytes: z.int().positive().optional(),
  maxLinks: z.int().positive().optional(),
  uploadBytesPerSecond: z.number().positive().optional(),
  webrtc: z
    .strictObject({
      iceServers: z.array(ICE_SERVER).exactOptional(),
      bindAddress: z.string().exactOptional(),
      portRange: z.strictObject({ first: PORT, last: PORT }).exactOptional(),
    })
    .optional(),
  logLevel: z.enum(LOG_LEVELS).optional(),
})

export type Config = z.infer<typeof CONFIG>

/**
 * Reads a configuration file.
 *
 * @throws SeederError (`usage`) that names the first thing that is wrong in it
 */
export function readConfig(file: string): Config {
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
  const result = CONFIG.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  const atTop = issue?.code === 'unrecognized_keys' && issue.path.length === 0
  const known = atTop ? `; known: ${Object.keys(CONFIG.shape).join(', ')}` : ''
  throw usage(`the configuration ${file} is wrong: ${place}${issue?.message ?? 'not an object'}${known}.`)
}

function usage(message: string): SeederError {
  return new SeederError('usage', message)
}
