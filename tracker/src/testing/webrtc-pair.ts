import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SCRIPT = fileURLToPath(new URL('webrtc-pair.mjs', import.meta.url))

/** Gathering, DTLS and a second or two of patience. */
const ATTEMPT_MS = 20_000
const ATTEMPTS = 3

/** What a test must allow for it, in milliseconds. */
export const PAIR_PATIENCE_MS = ATTEMPTS * ATTEMPT_MS + 5_000

/**
 * Two stock clients meet at a tracker, or at two nodes of one, and talk over WebRTC, in a process of their
 * own: the native library never lets one end that had a connection.
 *
 * One of three connections must open: stock clients offer with all candidates, and where the other end's
 * checks overtake the answer, the native library can drop the connection.
 *
 * @param urls `ws://` addresses of one tracker, or of two
 * @returns what was received, and warnings
 */
export async function connectPair(urls: readonly string[]): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { stdout } = await run(process.execPath, [SCRIPT, ...urls], { timeout: ATTEMPT_MS })
      return JSON.parse(stdout)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}
