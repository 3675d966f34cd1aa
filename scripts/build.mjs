// npm run build
import { BuildError, build } from './lib/build.mjs'

const start = performance.now()
try {
  await build((line) => console.error(line))
  console.error(`Built in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`${error.output}\n${error.message}`)
  process.exitCode = 1
}
