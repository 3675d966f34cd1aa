import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as later } from 'node:timers/promises'
import { freePort } from './free-port.js'

/** `npm test` says where it is. */
const PROGRAM = process.env['SHOAL_REDIS_SERVER'] ?? 'redis-server'

/** Longest wait for it to listen, in ms. */
const PATIENCE_MS = 10_000

/** A real Redis on a free port of the loopback address, which keeps nothing on disk. */
export class RedisServer {
  readonly port: number
  private child: ChildProcess | null = null

  private constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    await server.resurrect()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again after `kill`, empty. */
  async resurrect(): Promise<void> {
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const child = spawn(PROGRAM, [...args, '--dir', tmpdir()], { stdio: 'ignore' })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`${PROGRAM}: ${error.message}`)))
    })
    this.child = child
    await Promise.race([this.listening(), failed])
  }

  pause(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const { child } = this
    this.child = null
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  private async listening(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const socket = connect({ port: this.port, host: '127.0.0.1' })
      const open = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false)
      socket.destroy()
      if (open) return
      if (Date.now() > deadline) throw new Error(`${PROGRAM} does not listen`)
      await later(25)
    }
  }
}
