import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { frame } from './fuzz-frames.js'
import { LoadSocket } from './tracker-socket.js'

/** Time between two rounds, in ms. */
const ROUND_MS = 50

/** A round that takes longer has failed, in ms: the machine may be busy, the tracker must answer. */
const PATIENCE_MS = 30_000

const HASH = 'an honest swarm.....'

/** What the honest pair saw. */
export interface HonestReport {
  rounds: number
  /** Rounds in which anything but what is right happened, by what it was. */
  readonly faults: string[]
  /** Length of each round in ms. */
  readonly times: number[]
}

/**
 * Two stock clients beside the hostile ones, each round: one announces with an offer, the other gets
 * exactly it and answers, the first gets exactly the answer.
 */
export class HonestPair {
  readonly report: HonestReport = { rounds: 0, faults: [], times: [] }
  private readonly sockets: LoadSocket[] = []
  private got: (text: Record<string, unknown>) => void = () => {}
  private stopped = false
  private running: Promise<void> = Promise.resolve()

  static async start(port: number): Promise<HonestPair> {
    const pair = new HonestPair()
    for (const name of ['a', 'b']) {
      const socket = await LoadSocket.open(port, (payload) =>
        pair.got({ ...JSON.parse(payload.toString()), to: name }),
      )
      socket.onEnd(() => {
        if (!pair.stopped) pair.report.faults.push(`the socket of ${name} was ended`)
      })
      pair.sockets.push(socket)
    }
    pair.running = pair.run()
    return pair
  }

  async stop(): Promise<HonestReport> {
    this.stopped = true
    await this.running
    for (const socket of this.sockets) socket.destroy()
    return this.report
  }

  private async run(): Promise<void> {
    await this.join()
    while (!this.stopped) {
      const start = performance.now()
      const fault = await this.round(this.report.rounds++)
      this.report.times.push(performance.now() - start)
      if (fault !== null) this.report.faults.push(fault)
      await sleep(ROUND_MS)
    }
  }

  /** The one who answers is in the swarm when the tracker says so. */
  private async join(): Promise<void> {
    const replied = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), PATIENCE_MS)
      this.got = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
    this.say(1, { peer_id: id('b'), left: 1 })
    if (!(await replied)) this.report.faults.push(`no reply to the first announce in ${PATIENCE_MS} ms`)
    this.got = () => {}
  }

  /** @returns what went wrong, or null */
  private round(serial: number): Promise<string | null> {
    const offer = { type: 'offer', sdp: `v=0\r\noffer ${serial}` }
    const answer = { type: 'answer', sdp: `v=0\r\nanswer ${serial}` }
    const offer_id = id(`o${serial}`)
    return new Promise((resolve) => {
      const end = (fault: string | null) => {
        clearTimeout(timer)
        this.got = () => {}
        resolve(fault)
      }
      const timer = setTimeout(() => end(`round ${serial}: nothing came in ${PATIENCE_MS} ms`), PATIENCE_MS)
      let replied = false
      this.got = (message) => {
        if (message['to'] === 'a' && message['complete'] === 0 && message['incomplete'] === 2) {
          replied = true
        } else if (
          message['to'] === 'b' &&
          same(message['offer'], offer) &&
          message['offer_id'] === offer_id
        ) {
          this.say(1, { peer_id: id('b'), to_peer_id: id('a'), offer_id, answer })
        } else if (message['to'] === 'a' && same(message['answer'], answer) && replied) {
          end(null)
        } else {
          end(`round ${serial}: ${JSON.stringify(message).slice(0, 300)}`)
        }
      }
      this.say(0, { peer_id: id('a'), left: 1, offers: [{ offer_id, offer }] })
    })
  }

  private say(who: number, fields: object): void {
    const text = JSON.stringify({ action: 'announce', info_hash: HASH, ...fields })
    this.sockets[who]?.send(frame(1, Buffer.from(text)))
  }
}

const PROCESS = fileURLToPath(new URL('../dist/fuzz-honest-process.js', import.meta.url))

/** The honest pair in a process of its own. */
export class HonestProcess {
  private readonly child: ChildProcess

  private constructor(child: ChildProcess) {
    this.child = child
  }

  static async start(port: number): Promise<HonestProcess> {
    const child = fork(PROCESS, [String(port)])
    await Promise.race([once(child, 'message'), died(child)])
    return new HonestProcess(child)
  }

  async stop(): Promise<HonestReport> {
    this.child.send('stop')
    const [report] = await Promise.race([once(this.child, 'message'), died(this.child)])
    return report as HonestReport
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}

async function died(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`the honest pair ended with ${code}`)
}

function id(name: string): string {
  return name.padEnd(20, '_')
}

function same(value: unknown, expected: object): boolean {
  return JSON.stringify(value) === JSON.stringify(expected)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
