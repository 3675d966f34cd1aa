import type { z } from 'zod'

/** What a schema of zod says about itself, as far as it is looked at here. */
interface Definition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly element?: z.ZodType
  readonly entries?: Readonly<Record<string, string>>
  readonly defaultValue?: unknown
}

/** How a value is written in an environment variable or on the command line. */
export type TextForm = 'number' | 'boolean' | 'text' | 'list' | 'json'

/** One setting: a leaf of the schema. */
export interface SettingKey {
  /** `['limits', 'maxSwarms']` */
  readonly path: readonly string[]
  readonly form: TextForm
  readonly choices: readonly string[] | null
  readonly description: string
  /** Undefined when there is none. */
  readonly fallback: unknown
}

/** All settings of an object schema, in its order. */
export function keysOf(schema: z.ZodType, path: readonly string[] = []): SettingKey[] {
  const { inner, fallback, description } = unwrap(schema)
  if (path.length > 0 && !isObject(inner)) return [{ path, fallback, description, ...formOf(inner) }]
  return Object.entries(shapeOf(inner)).flatMap(([key, value]) => keysOf(value, [...path, key]))
}

/** Names of the keys of the object at `path`; none where there is no object. */
export function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let { inner } = unwrap(schema)
  for (const key of path) {
    const next = shapeOf(inner)[String(key)]
    if (next === undefined) return []
    inner = unwrap(next).inner
  }
  return Object.keys(shapeOf(inner))
}

function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown; description: string } {
  let inner = schema
  let fallback: unknown
  let description = schema.description ?? ''
  for (;;) {
    const { innerType, in: source, type, defaultValue } = definitionOf(inner)
    if (type === 'default') fallback ??= defaultValue
    const next = innerType ?? source
    if (next === undefined) return { inner, fallback, description }
    inner = next
    description ||= inner.description ?? ''
  }
}

function formOf(schema: z.ZodType): Pick<SettingKey, 'form' | 'choices'> {
  const { type, element, entries } = definitionOf(schema)
  if (type === 'number' || type === 'boolean') return { form: type, choices: null }
  if (type === 'string') return { form: 'text', choices: null }
  if (type === 'enum') return { form: 'text', choices: Object.values(entries ?? {}) }
  const texts = element !== undefined && definitionOf(unwrap(element).inner).type === 'string'
  return { form: texts ? 'list' : 'json', choices: null }
}

function isObject(schema: z.ZodType): boolean {
  return definitionOf(schema).type === 'object'
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return isObject(schema) ? (schema as z.ZodObject<Record<string, z.ZodType>>).shape : {}
}

function definitionOf(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition
}
