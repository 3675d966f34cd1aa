import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The one module that says how large a chunk is. */
const LIMITS = /\/protocol\/dist\/limits\.js$/

interface Coarseness {
  readonly factor: number
}

let factor = 1

/**
 * Makes chunks `factor` times as large in this process: fewer, larger Data messages, so that a run
 * takes less time. Rates, pieces, buffers and windows stay what they are. Call it before anything of
 * `@shoal/protocol` is imported.
 */
export function coarsenChunks(by: number): void {
  register(import.meta.url, { data: { factor: by } satisfies Coarseness })
}

/** Called by Node in the thread where modules are loaded. */
export function initialize(data: Coarseness): void {
  factor = data.factor
}

interface Loaded {
  readonly format: string
  readonly source: string
  readonly shortCircuit: true
}

/** Called by Node for each module. */
export async function load<T>(url: string, context: T, next: (url: string, context: T) => Promise<unknown>) {
  if (!LIMITS.test(url)) return next(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  const chunk = multiplied(text, 'CHUNK_BYTES', (bytes) => bytes * factor)
  // The lossy channel's largest message keeps its room beside a chunk.
  const source = multiplied(chunk, 'MAX_LOSSY_MESSAGE_BYTES', (bytes) => bytes * factor)
  return { format: 'module', source, shortCircuit: true } satisfies Loaded
}

function multiplied(text: string, name: string, change: (bytes: number) => number): string {
  const declaration = new RegExp(`export const ${name} = (\\d+);?`)
  const found = declaration.exec(text)
  if (found === null) throw new Error(`limits.js declares no number ${name}`)
  return text.replace(declaration, `export const ${name} = ${change(Number(found[1]))};`)
}
