import { fileURLToPath } from 'node:url'
import { build, loadConfigFromFile } from 'vite'

const PLAYER = fileURLToPath(new URL('../../player-plugin/', import.meta.url))

/** Bundles `page-links.ts`, with the browser's adapter and simple-peer as the player has it, into one script. */
export async function bundlePageLinks(): Promise<string> {
  const env = { command: 'build', mode: 'production' } as const
  const player = await loadConfigFromFile(env, `${PLAYER}vite.config.ts`)
  if (player === null) throw new Error('the player has no vite.config.ts')
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: player.config.plugins ?? [],
    // The player's build has types for each module and JavaScript for the whole alone.
    resolve: { alias: [{ find: /^.*\/player-plugin\/dist\//, replacement: `${PLAYER}src/` }] },
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
