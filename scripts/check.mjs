// npm run check
import { allChecks, runCheck } from './lib/checks.mjs'

for (const check of await allChecks()) {
  if (!(await runCheck(check))) process.exitCode = 1
}
