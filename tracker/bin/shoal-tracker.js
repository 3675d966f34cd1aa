#!/usr/bin/env node
import { existsSync } from 'node:fs'

const built = new URL('../dist/main.js', import.meta.url)
if (!existsSync(built)) {
  process.stderr.write('shoal-tracker is not built: run "npm run build" in the repository first.\n')
  process.exit(1)
}
const { main } = await import('../dist/main.js')
// Keep-alive connections of browsers must not hold the process: leave at once when all is said.
process.exit(await main(process.argv.slice(2)))
