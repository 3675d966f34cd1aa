import { type ESTree, parseSync } from 'vite'

/** What a site wrote is described in full: the address of a seeder. */
const DESCRIBED = /\/dial-address\.js$/

/**
 * Leaves the texts out of the bundle that say more of a `DecodeError` than its code: nobody reads in a
 * viewer's browser what was wrong with a message. In Node they are there.
 *
 * @throws Error while bundling where a source cannot be parsed
 */
export function shortErrors() {
  return {
    name: 'shoal:short-errors',
    transform(code: string, id: string): { readonly code: string; readonly map: null } | null {
      const ours = /\/protocol\/dist\/[\w-]+\.js$/.test(id) && !DESCRIBED.test(id)
      return ours && code.includes('new DecodeError(') ? { code: withoutDetails(code), map: null } : null
    },
  }
}

/** The source with the code alone in each `new DecodeError(code, detail)`. Exported for its test. */
export function withoutDetails(source: string): string {
  const { program, errors } = parseSync('source.js', source)
  if (errors[0] !== undefined) throw new Error(errors[0].message)
  const details: [number, number][] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk)
    else if (typeof value === 'object' && value !== null && 'type' in value) {
      const [code, detail] = isDecodeError(value) ? value.arguments : []
      if (code !== undefined && detail !== undefined) details.push([code.end, detail.end])
      else Object.values(value).forEach(walk)
    }
  }
  walk(program)
  // From the last to the first, so that places stay what they were; lines too: the source map goes by them.
  return details.reduceRight(
    (text, [from, to]) => text.slice(0, from) + text.slice(from, to).replace(/[^\n]/g, '') + text.slice(to),
    source,
  )
}

function isDecodeError(node: object): node is ESTree.NewExpression {
  const { type, callee } = node as Partial<ESTree.NewExpression>
  return type === 'NewExpression' && callee?.type === 'Identifier' && callee.name === 'DecodeError'
}
