import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeOnce } from './store.js'

let parent: string
let folder: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'shoal-store-'))
  folder = join(parent, 'sample')
})

afterEach(() => rm(parent, { recursive: true }))

const write = (text: string) => (unfinished: string) => writeFile(join(unfinished, 'file'), text)
const content = () => readFile(join(folder, 'file'), 'utf8')

it('makes a folder once', async () => {
  expect(await makeOnce(folder, 'recipe', write('first'))).toBe(true)
  expect(await makeOnce(folder, 'recipe', write('second'))).toBe(false)
  expect(await content()).toBe('first')
})

it('replaces what another recipe made', async () => {
  await makeOnce(folder, 'old', write('old'))
  expect(await makeOnce(folder, 'new', write('new'))).toBe(true)
  expect(await content()).toBe('new')
  expect(await readdir(parent)).toEqual(['sample'])
})

it('leaves nothing behind when the build fails', async () => {
  await expect(makeOnce(folder, 'recipe', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await readdir(parent)).toEqual([])
})

it('makes it in full when several want it at the same time', async () => {
  const makers = ['a', 'b', 'c'].map((text) => makeOnce(folder, 'recipe', write(text)))
  await Promise.all(makers)
  expect(['a', 'b', 'c']).toContain(await content())
  expect(await readdir(parent)).toEqual(['sample'])
})

it('clears away what a killed process left, and not what is being made', async () => {
  await mkdir(join(parent, 'sample.1.part'))
  await mkdir(join(parent, 'sample.2.part'))
  await utimes(join(parent, 'sample.1.part'), 0, 0)
  await makeOnce(folder, 'recipe', write('x'))
  expect((await readdir(parent)).sort()).toEqual(['sample', 'sample.2.part'])
})
