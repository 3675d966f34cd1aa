import { fileURLToPath } from 'node:url'
import { build, loadConfigFromFile } from 'vite'

/** This file is `e2e/dist/browser/bundle.js` when it runs. */
const PLAYER = fileURLToPath(new URL('../../../player-plugin/', import.meta.url))

export interface BundleOptions {
  /** Path of the module. */
  readonly entry: string
  /** The global that has its exports. */
  readonly name: string
  readonly minify: boolean
}

/** Bundles a module into one script for a page, with simple-peer as the player has it. */
export async function bundleForPage({ entry, name, minify }: BundleOptions): Promise<string> {
  const env = { command: 'build', mode: 'production' } as const
  const player = await loadConfigFromFile(env, `${PLAYER}vite.config.ts`)
  if (player === null) throw new Error('the player has no vite.config.ts')
  const result = await build({
    configFile: false,
    logLevel: 'error',
    plugins: player.config.plugins ?? [],
    // The player's build has types for each module and JavaScript for the whole alone.
    resolve: { alias: [{ find: /^.*\/player-plugin\/dist\//, replacement: `${PLAYER}src/` }] },
    build: { write: false, minify, lib: { entry, formats: ['iife'], name } },
  })
  const outputs = [result].flat().flatMap((bundle) => ('output' in bundle ? bundle.output : []))
  const [chunk] = outputs.filter((output) => output.type === 'chunk')
  if (chunk === undefined) throw new Error('the bundle is empty')
  return chunk.code
}
