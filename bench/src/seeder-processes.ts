import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command, Reply } from './seeder-messages.js'

/** Time for all connections of a row to open, in milliseconds. */
const OPEN_LIMIT_MS = 120_000
const READY_LIMIT_MS = 20_000
/** Time for a process to end by itself, in milliseconds. */
const END_LIMIT_MS = 2_000

/** A process of ours that is told what to do. */
export class Worker {
  opened = 0
  private readonly child: ChildProcess
  private onReading: ((reading: Extract<Reply, { type: 'reading' }>) => void) | null = null
  failure: string | null = null

  constructor(script: URL, onSignal: (reply: Extract<Reply, { type: 'signal' }>) => void) {
    this.child = fork(fileURLToPath(script), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.child.once('exit', (code) => {
      this.failure ??= `a process of the bench ended with ${code}`
    })
    this.child.on('message', (reply: Reply) => {
      if (reply.type === 'signal') onSignal(reply)
      else if (reply.type === 'open') this.opened++
      else if (reply.type === 'failed') this.failure = reply.error
      else this.onReading?.(reply)
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  tell(command: Command): void {
    // A signal may come while the row ends.
    if (this.child.connected) this.child.send(command)
  }

  read(): Promise<Extract<Reply, { type: 'reading' }>> {
    return new Promise((resolve) => {
      this.onReading = resolve
      this.tell({ type: 'read' })
    })
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    // It ends by itself when nobody tells it anything any more, and writes its profile if it was to.
    if (this.child.connected) this.child.disconnect()
    await Promise.race([ended, later(END_LIMIT_MS)])
    this.child.kill('SIGKILL')
    await ended
  }
}

/** Waits until so many connections are open. @throws Error where they do not */
export async function allOpen(workers: readonly Worker[], count: number): Promise<void> {
  const limit = performance.now() + OPEN_LIMIT_MS
  for (;;) {
    const opened = workers.reduce((sum, worker) => sum + worker.opened, 0)
    if (opened >= count) return
    const failure = workers.find((worker) => worker.failure !== null)?.failure
    if (failure) throw new Error(failure)
    if (performance.now() > limit) throw new Error(`${opened} of ${count} viewers connected`)
    await later(50)
  }
}

/** A command of ours that prints one line of JSON when it is ready. */
export class Service {
  private constructor(
    private readonly child: ChildProcess,
    readonly ready: unknown,
  ) {
    // A bench that fails leaves nothing behind.
    const killAtExit = (): void => void this.child.kill('SIGKILL')
    process.once('exit', killAtExit)
    this.child.once('exit', () => process.off('exit', killAtExit))
  }

  /** @param core the only core that it may use, by Linux's `taskset`; null for any */
  static async start(
    bin: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    core: number | null = null,
  ): Promise<Service> {
    const script = fileURLToPath(new URL(`../../${bin}`, import.meta.url))
    const env = { ...process.env, ...environment }
    // With this process's own flags, as `fork` has it: who profiles the bench profiles all of it.
    const node = [process.execPath, ...process.execArgv, script, ...args]
    const [command = '', ...rest] = core === null ? node : ['taskset', '-c', String(core), ...node]
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], env })
    child.once('error', (error) => console.error(`${command}: ${error.message}`))
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    const limit = performance.now() + READY_LIMIT_MS
    while (!text.includes('\n')) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > limit)
        throw new Error(`${bin} did not start`)
      await later(20)
    }
    return new Service(child, JSON.parse(text.split('\n')[0] ?? ''))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGTERM')
    await ended
  }
}

/** Resident memory of a process, in bytes. Linux only. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) * 1024
}

export function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
