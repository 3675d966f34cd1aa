import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const PLAYER_SOURCES = fileURLToPath(new URL('../../player-plugin/src/', import.meta.url))

/** Bundles `page-links.ts`, with the browser's adapter and simple-peer in it, into one script. */
export async function bundlePageLinks(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    // The player's build has types for each module and JavaScript for the whole alone.
    resolve: { alias: [{ find: /^.*\/player-plugin\/dist\//, replacement: PLAYER_SOURCES }] },
    build: {
      write: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL('./page-links.ts', import.meta.url)),
        formats: ['iife'],
        name: 'shoalPageLinks',
      },
    },
  })
  const outputs = [result].flat().flatMap((bundle) => ('output' in bundle ? bundle.output : []))
  const [chunk] = outputs.filter((output) => output.type === 'chunk')
  if (chunk === undefined) throw new Error('the bundle is empty')
  return chunk.code
}
