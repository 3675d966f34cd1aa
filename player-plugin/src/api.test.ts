import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { apiReport } from './testing/api-report.js'

const report = apiReport(fileURLToPath(new URL('../dist/index.d.ts', import.meta.url)))

test('the public declarations need nothing but hls.js', () => {
  expect(report.packages).toEqual(['hls.js'])
})

/** A change of the API is seen in review; `npx vitest run player-plugin -u` writes the new one. */
test('the public API is the committed one', async () => {
  await expect(report.text).toMatchFileSnapshot('../api.txt')
})
