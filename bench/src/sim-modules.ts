import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { SimScale } from './sim-scale.js'

/** The one module that says how large a chunk is. */
const LIMITS = /\/protocol\/dist\/limits\.js$/
/** And the one that says how much a send buffer takes. */
const BUFFERS = /\/core\/dist\/ports\/link\.js$/

/** Modules that move bytes, and those that stand in for them where viewers share memory. */
const STAND_INS = [
  { module: /\/core\/dist\/engine\/memory\.js$/, standIn: 'sampled-memory.js' },
  { module: /\/protocol\/dist\/encode-data\.js$/, standIn: 'sampled-data.js' },
]

/** A message of the lossy channel on the wire, in bytes. */
const PACKET_BYTES = 1150

let scale: SimScale = { coarse: 1, sharedMemory: false }

/**
 * Changes what this process loads: chunks `coarse` times as large, so that there are fewer messages,
 * and memory that viewers share. Rates, pieces, buffers and windows stay what they are. Call it before
 * anything of `@shoal/protocol` is imported.
 */
export function changeModules(to: SimScale): void {
  register(import.meta.url, { data: to })
}

/** Called by Node in the thread where modules are loaded. */
export function initialize(data: SimScale): void {
  scale = data
}

interface Resolved {
  readonly url: string
}

/** Called by Node for each import. */
export async function resolve<T>(
  specifier: string,
  context: T,
  next: (specifier: string, context: T) => Promise<Resolved>,
): Promise<Resolved> {
  const resolved = await next(specifier, context)
  if (!scale.sharedMemory) return resolved
  const found = STAND_INS.find(({ module }) => module.test(resolved.url))
  if (found === undefined) return resolved
  const folder = await next('@shoal/core/testing', context)
  return { ...resolved, url: new URL(`sim/${found.standIn}`, folder.url).href }
}

interface Loaded {
  readonly format: string
  readonly source: string
  readonly shortCircuit: true
}

/** Called by Node for each module. */
export async function load<T>(url: string, context: T, next: (url: string, context: T) => Promise<unknown>) {
  if (scale.coarse === 1 || !(LIMITS.test(url) || BUFFERS.test(url))) return next(url, context)
  const source = changed(await readFile(fileURLToPath(url), 'utf8'), LIMITS.test(url))
  return { format: 'module', source, shortCircuit: true } satisfies Loaded
}

function changed(text: string, limits: boolean): string {
  const { coarse } = scale
  // A send buffer takes as much beside one chunk as ever.
  if (!limits) return replaced(text, 'LOSSY_BUFFER_HIGH_BYTES', `$1 + ${(coarse - 1) * PACKET_BYTES}`)
  const chunk = replaced(text, 'CHUNK_BYTES', `$1 * ${coarse}`)
  // The lossy channel's largest message keeps its room beside a chunk.
  return replaced(chunk, 'MAX_LOSSY_MESSAGE_BYTES', `$1 * ${coarse}`)
}

/** The module with another value for a constant, `$1` being the one that it has. */
function replaced(text: string, name: string, value: string): string {
  const declaration = new RegExp(`export const ${name} = ([\\d *]+);?`)
  if (!declaration.test(text)) throw new Error(`no number ${name} is declared`)
  return text.replace(declaration, `export const ${name} = ${value};`)
}
