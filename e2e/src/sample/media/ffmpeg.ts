import { spawn } from 'node:child_process'
import { access, chmod, constants } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { path as ffmpegPath } from '@ffmpeg-installer/ffmpeg'

/** ffmpeg could not be started, or ended with an error. `detail` is the end of what it printed. */
export class FfmpegError extends Error {
  readonly code = 'ffmpeg-failed'

  constructor(
    message: string,
    readonly detail: string,
  ) {
    super(detail ? `${message}\n${detail}` : message)
    this.name = 'FfmpegError'
  }
}

const KEPT_LOG_CHARACTERS = 4000
const SHOWN_LOG_LINES = 8

/**
 * Runs the ffmpeg that npm installed.
 *
 * @param args after the common options; inputs and outputs are relative to `cwd`
 * @param input raw frames for `pipe:0`, written with back-pressure
 * @throws {FfmpegError} with the last lines of ffmpeg's log
 */
export async function runFfmpeg(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: Iterable<Uint8Array> },
): Promise<void> {
  await makeExecutable()
  const child = spawn(ffmpegPath, ['-hide_banner', '-nostats', '-loglevel', 'error', '-y', ...args], {
    cwd: options.cwd,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_CHARACTERS)
  })
  // A pipe that breaks because ffmpeg ended is told by its exit code.
  child.stdin.on('error', () => {})

  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(`could not start: ${error.message}`))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : `ended with ${signal ?? `code ${code}`}`),
    )
  })
  await writeAll(child.stdin, options.input ?? [])
  const failure = await ended
  if (failure !== null) {
    throw new FfmpegError(`ffmpeg ${failure}`, log.trim().split('\n').slice(-SHOWN_LOG_LINES).join('\n'))
  }
}

/** The package does this when it is installed; npm may be set to run no such scripts. */
async function makeExecutable(): Promise<void> {
  try {
    await access(ffmpegPath, constants.X_OK)
  } catch {
    // A file that is missing, or not ours, is told when it does not start.
    await chmod(ffmpegPath, 0o755).catch(() => {})
  }
}

/** Waits until each buffer was taken: the next one may be the same memory. */
async function writeAll(stream: Writable, input: Iterable<Uint8Array>): Promise<void> {
  for (const bytes of input) {
    const failed = await new Promise<unknown>((resolve) => stream.write(bytes, resolve))
    if (failed) return
  }
  stream.end()
}
