import { MAX_CONTROL_MESSAGE_BYTES, MAX_LOSSY_MESSAGE_BYTES, type Signal } from '@shoal/protocol'
import type { RawPeer, TestPeer } from './harness.js'
import { check, closeReasonOf, isOpen, messagesOf, OPEN_LIMIT_MS, type Stage } from './stage.js'

type Case = readonly [name: string, run: (stage: Stage) => Promise<void>]

const NOTICE_LIMIT_MS = 5000

/** Lets the raw peer's own stack send more than our description allows. */
function withoutMessageLimit(signal: Signal): readonly unknown[] {
  if (signal.kind !== 'description') return [signal]
  const sdp = signal.sdp.replace(/a=max-message-size:\d+/, 'a=max-message-size:262144')
  return [{ ...signal, sdp }]
}

async function connectRaw(stage: Stage): Promise<{ link: TestPeer; raw: RawPeer }> {
  const raw = await stage.createRaw('offerer')
  const link = await stage.create('b', { role: 'answerer' })
  stage.relay(raw, link, (signal, from) => (from === 'answerer' ? withoutMessageLimit(signal) : [signal]))
  await stage.until(() => isOpen(link) && isOpen(raw), OPEN_LIMIT_MS, 'open')
  return { link, raw }
}

async function expectEnd(stage: Stage, link: TestPeer, messages: number): Promise<void> {
  await stage.until(() => closeReasonOf(link) !== null, NOTICE_LIMIT_MS, 'the link ends')
  check(closeReasonOf(link) === 'transport-error', `${closeReasonOf(link)}`)
  const seen = messagesOf(link, 'lossy').length + messagesOf(link, 'control').length
  check(seen === messages, `${seen} messages were handed on`)
}

/** Messages that no Shoal peer sends. */
export const rawCases: readonly Case[] = [
  [
    'talks to a bare connection with the same channels',
    async (stage) => {
      const { link, raw } = await connectRaw(stage)
      check(await raw.sendRaw('lossy', new Uint8Array(MAX_LOSSY_MESSAGE_BYTES)), 'lossy is sent')
      check(await raw.sendRaw('control', new Uint8Array(MAX_CONTROL_MESSAGE_BYTES)), 'control is sent')
      const came = () => messagesOf(link, 'lossy').length === 1 && messagesOf(link, 'control').length === 1
      await stage.until(came, NOTICE_LIMIT_MS, 'both messages')
    },
  ],
  [
    'ends for a lossy message over 1150 bytes',
    async (stage) => {
      const { link, raw } = await connectRaw(stage)
      await raw.sendRaw('lossy', new Uint8Array(MAX_LOSSY_MESSAGE_BYTES + 1))
      await expectEnd(stage, link, 0)
    },
  ],
  [
    'ends for a control message over 16 KiB',
    async (stage) => {
      for (const size of [MAX_CONTROL_MESSAGE_BYTES + 1, 100_000]) {
        const { link, raw } = await connectRaw(stage)
        check(await raw.sendRaw('control', new Uint8Array(size)), `${size} bytes are sent`)
        await expectEnd(stage, link, 0)
      }
    },
  ],
  [
    'ends for text in place of bytes',
    async (stage) => {
      for (const channel of ['lossy', 'control'] as const) {
        const { link, raw } = await connectRaw(stage)
        await raw.sendRaw(channel, 'text')
        await expectEnd(stage, link, 0)
      }
    },
  ],
  [
    'survives a flood of hostile messages and a sudden end',
    async (stage) => {
      const { link, raw } = await connectRaw(stage)
      for (let index = 0; index < 50; index++) {
        await raw.sendRaw('lossy', 'x'.repeat(index))
        await raw.sendRaw('control', new Uint8Array(0))
        await raw.sendRaw('lossy', new Uint8Array(2000))
      }
      await raw.close()
      await stage.until(() => closeReasonOf(link) !== null, NOTICE_LIMIT_MS, 'the link ends')
    },
  ],
]
