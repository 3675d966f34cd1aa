// npm run soak -- [--minutes M] [--seed S] [--viewers N] [--json FILE]
import { BuildError, build } from './lib/build.mjs'
import { runNode } from './lib/run.mjs'

try {
  // Standard output belongs to the soak: its last line is one JSON object.
  await build((line) => console.error(line))
  const { code } = await runNode('bench/dist/soak-cli.js', process.argv.slice(2), { show: 'stdout' })
  process.exitCode = code
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`${error.output}\n${error.message}`)
  process.exitCode = 1
}
