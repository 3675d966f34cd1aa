import { createSecureContext } from 'node:tls'
import type { Server, TlsPair } from '../adapters/server-port.js'
import type { FileWatch } from './file-watch.js'

/** A certificate and its key, read anew when their files change. */
export interface WatchedTls {
  readonly pair: TlsPair
  /** From now on the server gets what is new. */
  onChange(server: Server): void
}

/** @throws OptionsError when the files cannot be used */
export async function watchTls(
  { certFile, keyFile }: { readonly certFile?: string | undefined; readonly keyFile?: string | undefined },
  files: FileWatch,
): Promise<WatchedTls | null> {
  if (certFile === undefined || keyFile === undefined) return null
  let pair: TlsPair = { cert: '', key: '' }
  let server: Server | null = null
  await files.add('tls.certFile', {
    what: 'the certificate and its key',
    paths: [certFile, keyFile],
    use([cert = '', key = '']) {
      // Throws when they do not belong together, as in the middle of an update of both.
      createSecureContext({ cert, key })
      pair = { cert, key }
      server?.setTls(pair)
    },
  })
  return {
    pair,
    onChange(started) {
      server = started
    },
  }
}
