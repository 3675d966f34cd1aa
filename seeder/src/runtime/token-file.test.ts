import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RecordingLog } from '../testing/recording-log.js'
import { tokenFromFile } from './token-file.js'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-token-'))
  file = join(folder, 'token')
})

afterEach(() => rmSync(folder, { recursive: true }))

test('is read anew each time, and the last one goes on where it cannot be', async () => {
  const log = new RecordingLog()
  writeFileSync(file, ' first\n')
  const token = await tokenFromFile(file, log)
  expect(await token()).toBe('first')
  writeFileSync(file, 'second')
  expect(await token()).toBe('second')
  rmSync(file)
  expect(await token()).toBe('second')
  writeFileSync(file, '\n')
  expect(await token()).toBe('second')
  expect(log.count('warn the last token is used')).toBe(2)
})

test.each([
  ['is not there', null, /cannot read the token file .* \(ENOENT\)/],
  ['is empty', '\n', /is empty/],
  ['holds several', 'a\nb\n', /does not hold one token/],
  ['is too long', 'x'.repeat(2049), /up to 2048 characters/],
])('a file that %s is refused at the start', async (_what, text, message) => {
  if (text !== null) writeFileSync(file, text)
  await expect(tokenFromFile(file, new RecordingLog())).rejects.toMatchObject({
    code: 'bad-token-file',
    message: expect.stringMatching(message),
  })
})
