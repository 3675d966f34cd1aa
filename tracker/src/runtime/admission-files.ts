import type { FileReader } from '../adapters/watched-files.js'
import type { AdmissionLists } from '../admission/admission.js'
import { readHashList } from '../admission/hash-list.js'
import type { AdmissionSettings } from '../admission/settings.js'
import { readPublicKeys, readSecrets } from '../admission/tokens.js'

/** A file that a setting names, by the setting's key. */
export interface NamedFile {
  readonly key: string
  readonly reader: FileReader
}

/** The files of the admission's settings; what is read goes into `lists`. */
export function admissionFiles(settings: AdmissionSettings, lists: AdmissionLists): NamedFile[] {
  const files: NamedFile[] = []
  const add = (name: string, what: string, path: string | undefined, use: (text: string) => void): void => {
    if (path === undefined) return
    const reader = { what, paths: [path], use: ([text = '']: readonly string[]) => use(text) }
    files.push({ key: `admission.${name}`, reader })
  }
  add('allowFile', 'the allow list', settings.allowFile, (text) => {
    lists.allowed = readHashList(text)
  })
  add('denyFile', 'the deny list', settings.denyFile, (text) => {
    lists.denied = readHashList(text)
  })
  const { hmacSecretFile, publicKeyFile } = settings.tokens
  add('tokens.hmacSecretFile', 'the secrets of tokens', hmacSecretFile, (text) => {
    lists.keys = { ...lists.keys, hmac: readSecrets(text) }
  })
  add('tokens.publicKeyFile', 'the public keys of tokens', publicKeyFile, (text) => {
    lists.keys = { ...lists.keys, ed25519: readPublicKeys(text) }
  })
  return files
}
