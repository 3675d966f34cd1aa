import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { SignOptions } from '../runtime/sign-folder.js'
import type { KeyChange } from '../signing/key-document.js'

/** A day: what a viewer that is paused, or a CDN, may be behind. */
const DEFAULT_OVERLAP_HOURS = 24

/** A key document to be written. */
export interface KeysInvocation {
  readonly file: string
  readonly rootFile: string
  readonly change: KeyChange
}

interface KeysFlags {
  readonly root: string
  readonly add?: readonly string[]
  readonly retire?: readonly string[]
  readonly overlapHours: number
  readonly expiresDays?: number
  readonly contentId?: readonly string[]
}

/** `shoal-seeder keys FILE --root FILE …` */
export function addKeysCommand(program: Command, use: (read: KeysInvocation) => void): void {
  program
    .command('keys')
    .description('write or change the signed list of keys that players load (publicKeyUrl)')
    .argument('<file>')
    .requiredOption('--root <file>', 'private key of the root, whose public key players know')
    .option('--add <key>', 'public key that may sign from now on; may be repeated', collect)
    .option('--retire <key>', 'public key that may not sign much longer; may be repeated', collect)
    .option('--overlap-hours <n>', 'how long a retired key still counts', hours, DEFAULT_OVERLAP_HOURS)
    .option('--expires-days <n>', 'the list says nothing after that; write it anew in time', days)
    .option('--content-id <id>', 'title that it is about (default: all); may be repeated', collect)
    .exitOverride()
    .action((file: string, flags: KeysFlags) => {
      const { root, add = [], retire = [], overlapHours, expiresDays, contentId } = flags
      use({
        file,
        rootFile: root,
        change: {
          add,
          retire,
          overlapSeconds: Math.round(overlapHours * 3600),
          lifeSeconds: expiresDays === undefined ? undefined : Math.round(expiresDays * 86_400),
          contentIds: contentId,
        },
      })
    })
}

/** `shoal-seeder sign FOLDER --content-id ID --key FILE` */
export function addSignCommand(program: Command, use: (read: SignOptions) => void): void {
  program
    .command('sign')
    .description('write signed manifests beside the segments of a folder; live, until a signal ends it')
    .argument('<folder>', 'folder with a playlist, or the playlist')
    .requiredOption('--content-id <id>', "the swarm's content id: the URL that players load, without query")
    .requiredOption('--key <file>', 'private key to sign with (see keygen)')
    .exitOverride()
    .action((folder: string, { contentId, key }: { readonly contentId: string; readonly key: string }) => {
      use({ folder, contentId, keyFile: key })
    })
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function hours(value: string): number {
  return numberUpTo(value, 24 * 366)
}

function days(value: string): number {
  return numberUpTo(value, 3660)
}

function numberUpTo(value: string, max: number): number {
  const number = Number(value)
  if (!/^\d+(\.\d+)?$/.test(value) || number > max) {
    throw new InvalidArgumentError(`Not a number from 0 to ${max}.`)
  }
  return number
}
