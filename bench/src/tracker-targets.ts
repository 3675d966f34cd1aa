import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { processCpuMs } from './transport-process-tree.js'

export const TARGETS = ['shoal-uws', 'shoal-ws', 'bittorrent-tracker', 'uws-echo'] as const
export type Target = (typeof TARGETS)[number]

const TRACKER = fileURLToPath(new URL('../../tracker/bin/shoal-tracker.js', import.meta.url))
const RIVAL = fileURLToPath(new URL('./tracker-rival-server.js', import.meta.url))

/** A server that listens, in a process of its own. */
export class TargetServer {
  readonly port: number
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.child = child
    this.port = port
  }

  /** @param more arguments for our own tracker */
  static async start(target: Target, more: readonly string[] = []): Promise<TargetServer> {
    return target === 'shoal-uws' || target === 'shoal-ws' ? startOurs(target, more) : startRival(target)

    async function startOurs(ours: Target, extra: readonly string[]): Promise<TargetServer> {
      const engine = ours === 'shoal-uws' ? 'uws' : 'ws'
      const given = ['--host', '127.0.0.1', '--engine', engine, '--json', '--log-level', 'error', ...extra]
      const args = extra.includes('--port') ? given : [...given, '--port', '0']
      const child = spawn(process.execPath, [TRACKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
      if (child.stdout === null) throw new Error('no output')
      const lines = createInterface(child.stdout)
      const [line] = (await Promise.race([once(lines, 'line'), ended(child, ours)])) as [string]
      const { url } = JSON.parse(line) as { url: string }
      return new TargetServer(child, Number(new URL(url).port))
    }

    async function startRival(rival: Target): Promise<TargetServer> {
      const child = fork(RIVAL, [rival])
      const [{ port }] = (await Promise.race([once(child, 'message'), ended(child, rival)])) as [
        { port: number },
      ]
      return new TargetServer(child, port)
    }
  }

  /** CPU time so far, user and system, in ms. */
  cpuMs(): number {
    return processCpuMs(this.pid)
  }

  /** Resident memory, in bytes. Linux only. */
  rssBytes(): number {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    return Number(kib) * 1024
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }

  private get pid(): number {
    if (this.child.pid === undefined) throw new Error('the server does not run')
    return this.child.pid
  }
}

async function ended(child: ChildProcess, target: Target): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`${target} ended with ${code}`)
}
