import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ESTree, parseSync } from 'vite'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Files whose types are JSON on a socket. */
const WIRE = ['tracker-messages', 'integrity-messages', 'key-document', 'signals', 'stats'].map(
  (name) => `protocol/src/${name}.ts`,
)

/** The property names of one source. */
export interface FileNames {
  /** Members of classes. */
  readonly members: Set<string>
  /** Members of interfaces and of other types of objects. */
  readonly typed: Set<string>
  /** Keys of object literals. */
  readonly keys: Set<string>
  /** What is read off objects, with a dot or by destructuring. */
  readonly read: Set<string>
  /** Texts, apart from those in types and names of modules. */
  readonly texts: Set<string>
  /** Whether it walks the keys of some object. */
  enumerates: boolean
}

/** Names of our own properties: none else but our own bundled code ever says them. */
export interface OwnNames {
  readonly mangled: readonly string[]
  /** Names that others know as well, with what knows them. */
  readonly reserved: ReadonlyMap<string, string>
}

/**
 * Finds the property names that may be shortened in the bundle.
 *
 * Taken is what `protocol` and `core`, which know no host, declare, and what the player's own classes do:
 * its interfaces may describe the browser, and those of `browser/` are left out for it. Left out is also each
 * name in the types of the language, the DOM or hls.js, in simple-peer, in the player's public declarations or
 * in JSON messages, each that is a text anywhere (`'x' in object`, `object[x]`), and the keys in files that
 * walk the keys of objects.
 *
 * @throws Error where a file cannot be read as TypeScript
 */
export function ownNames(): OwnNames {
  const own = new Set<string>()
  const used = new Set<string>()
  const reserved = new Map<string, string>()
  const reserve = (names: Iterable<string>, by: string) => {
    for (const name of names) if (!reserved.has(name)) reserved.set(name, by)
  }
  for (const file of hostDeclarations()) {
    const { members, typed } = readNames(file)
    reserve([...members, ...typed], file.slice(file.lastIndexOf('/') + 1))
  }
  const simplePeer = readNames(createRequire(import.meta.url).resolve('simple-peer'))
  for (const names of [simplePeer.members, simplePeer.keys, simplePeer.read]) reserve(names, 'simple-peer')
  for (const file of publicSources()) {
    const { members, typed } = readNames(file)
    reserve([...members, ...typed], 'the public API')
  }
  for (const file of WIRE) {
    const { members, typed, read } = readNames(join(ROOT, file))
    reserve([...members, ...typed, ...read], 'messages in JSON')
  }
  for (const part of ['protocol', 'core', 'player-plugin']) {
    for (const file of sourcesOf(join(ROOT, part, 'src'))) {
      const names = readNames(file)
      for (const name of names.members) own.add(name)
      if (part !== 'player-plugin') for (const name of names.typed) own.add(name)
      for (const name of [...names.members, ...names.keys, ...names.read]) used.add(name)
      reserve(names.texts, 'a text')
      if (file.includes('/player-plugin/src/browser/')) reserve(names.typed, 'types of the browser')
      if (names.enumerates) reserve(names.keys, 'a walk over keys')
    }
  }
  const mangled = [...own].filter((name) => used.has(name) && !reserved.has(name)).sort()
  return { mangled, reserved }
}

/** Rolldown's `include`: simple-peer's own members, which begin with a line, and `names`. */
export function exactly(names: readonly string[]): RegExp {
  return new RegExp(`^(?:_[A-Za-z].*|${names.map((name) => name.replaceAll('$', '\\$')).join('|')})$`)
}

/** Reads the property names of a source. Exported for its test. */
export function readNames(file: string, source = readFileSync(file, 'utf8')): FileNames {
  const { program, errors } = parseSync(file, source)
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
  const set = () => new Set<string>()
  const names: FileNames = {
    members: set(),
    typed: set(),
    keys: set(),
    read: set(),
    texts: set(),
    enumerates: false,
  }
  walk(program, null, names)
  return names
}

function walk(value: unknown, parent: ESTree.Node | null, names: FileNames): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, parent, names)
  } else if (isNode(value)) {
    note(value, parent, names)
    // A text as a type, or as a module's name, is no name of a property at run time.
    if (value.type === 'TSLiteralType') return
    for (const [key, child] of Object.entries(value)) {
      const moduleName = key === 'source' && /^(?:Im|Ex)port/.test(value.type)
      if (key !== 'parent' && !moduleName) walk(child, value, names)
    }
  }
}

function isNode(value: unknown): value is ESTree.Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function note(node: ESTree.Node, parent: ESTree.Node | null, names: FileNames): void {
  switch (node.type) {
    case 'PropertyDefinition':
    case 'MethodDefinition':
    case 'AccessorProperty':
    case 'TSAbstractMethodDefinition':
    case 'TSAbstractPropertyDefinition':
      add(names.members, node.key, node.computed)
      break
    case 'TSPropertySignature':
    case 'TSMethodSignature':
      add(names.typed, node.key, node.computed)
      break
    case 'Property':
      add(parent?.type === 'ObjectPattern' ? names.read : names.keys, node.key, node.computed)
      break
    case 'MemberExpression':
      add(names.read, node.property, node.computed)
      if (walksKeys(node)) names.enumerates = true
      break
    case 'ForInStatement':
      names.enumerates = true
      break
    case 'Literal':
      if (typeof node.value === 'string') names.texts.add(node.value)
      break
  }
}

/** `Object.keys` and its like, and JSON. */
function walksKeys({ object, property }: ESTree.MemberExpression): boolean {
  if (object.type !== 'Identifier' || property.type !== 'Identifier') return false
  return object.name === 'Object'
    ? ['keys', 'entries', 'values', 'getOwnPropertyNames', 'hasOwn'].includes(property.name)
    : object.name === 'JSON' || object.name === 'Reflect'
}

function add(names: Set<string>, key: ESTree.Node, computed: boolean): void {
  if (!computed && key.type === 'Identifier') names.add(key.name)
  // A quoted key is never shortened, so that it must not be elsewhere either.
}

/** Sources of a package that ship: no tests, nothing for tests. */
function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\.d\.ts$|(?:^|\/)testing\//.test(file))
    .map((file) => join(folder, file))
}

/** What `index.ts` of the player exports, as sources; its types are in no other file. */
function publicSources(): string[] {
  const folder = join(ROOT, 'player-plugin/src')
  const index = readFileSync(join(folder, 'index.ts'), 'utf8')
  const files = [...index.matchAll(/from '\.\/(.+)\.js'/g)].map(([, name]) => `${name}.ts`)
  return files.map((file) => join(folder, file))
}

/** Declarations of the language, the browser and hls.js. */
function hostDeclarations(): string[] {
  const require = createRequire(import.meta.url)
  const compiler = createRequire(require.resolve('typescript/package.json'))
  const platform = `@typescript/typescript-${process.platform}-${process.arch}/package.json`
  const library = join(dirname(compiler.resolve(platform)), 'lib')
  const standard = readdirSync(library).filter((name) => /^lib\..*\.d\.ts$/.test(name))
  const hls = join(dirname(require.resolve('hls.js/package.json')), 'dist/hls.d.ts')
  return [...standard.map((name) => join(library, name)), hls]
}
