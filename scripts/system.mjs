// Finds or installs the system programs that the tests need, and prints where they are.
import { ensureChromium, ensureRedis, MissingProgramError } from './lib/system.mjs'

for (const [name, ensure] of Object.entries({ chromium: ensureChromium, 'redis-server': ensureRedis })) {
  try {
    console.log(`${name}: ${await ensure((line) => console.error(line))}`)
  } catch (error) {
    if (!(error instanceof MissingProgramError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
