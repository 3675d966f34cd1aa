import { check, closeReasonOf, countOf, isOpen, OPEN_LIMIT_MS, type Stage } from './stage.js'

type Case = readonly [name: string, run: (stage: Stage) => Promise<void>]

/** A closed link is noticed by its messages, not by ICE's timeout of 5 s and more. */
const AT_ONCE_MS = 3000

/** Ends of links, and owners that fail. */
export const closingCases: readonly Case[] = [
  [
    'tells a close on both sides at once',
    async (stage) => {
      for (const closer of ['a', 'b'] as const) {
        const pair = await stage.connect()
        const other = closer === 'a' ? pair.b : pair.a
        await pair[closer].close()
        const told = () => closeReasonOf(pair[closer]) !== null && closeReasonOf(other) !== null
        await stage.until(told, AT_ONCE_MS, 'both are told')
        check(closeReasonOf(pair[closer]) === 'local', `${closer}: ${closeReasonOf(pair[closer])}`)
        check(closeReasonOf(other) === 'remote', `other: ${closeReasonOf(other)}`)
      }
    },
  ],
  [
    'closes once, however often it is asked',
    async (stage) => {
      const { a, b } = await stage.connect()
      await Promise.all([a.close(), b.close(), a.close(), b.close()])
      await stage.until(() => countOf(a, 'close') + countOf(b, 'close') === 2, AT_ONCE_MS, 'both closed')
      await stage.pass(100)
      check(countOf(a, 'close') === 1 && countOf(b, 'close') === 1, 'close is told once')
    },
  ],
  [
    'closes before it has opened, at any stage',
    async (stage) => {
      const fresh = await stage.create('a', { role: 'offerer' })
      await fresh.close()
      const waiting = await stage.create('b', { role: 'answerer' })
      await waiting.close()
      for (let ms = 0; ms <= 40; ms += 10) {
        const { a } = await stage.pair()
        await stage.pass(ms)
        await a.close()
        await stage.until(() => countOf(a, 'close') === 1, AT_ONCE_MS, 'close is told')
      }
      await stage.until(() => closeReasonOf(fresh) === 'local', AT_ONCE_MS, 'the fresh link')
      await stage.until(() => closeReasonOf(waiting) === 'local', AT_ONCE_MS, 'the waiting link')
    },
  ],
  [
    'says nothing after close, with messages under way',
    async (stage) => {
      const { a, b } = await stage.connect()
      await b.fill('lossy', 1000, 500)
      await b.fill('control', 1000, 200)
      await a.fill('lossy', 1000, 50)
      await a.close()
      await b.send('lossy', new Uint8Array(100))
      await stage.until(() => countOf(a, 'close') === 1, AT_ONCE_MS, 'close is told')
      // What comes later is found by the peer itself and fails the case at its end.
      await stage.pass(200)
    },
  ],
  [
    'gives up when it does not open in time',
    async (stage) => {
      const offerer = await stage.create('a', { role: 'offerer', openTimeoutMs: 300 })
      const answerer = await stage.create('b', { role: 'answerer', openTimeoutMs: 300 })
      await stage.pass(150)
      check(closeReasonOf(offerer) === null && closeReasonOf(answerer) === null, 'not too early')
      const told = () => closeReasonOf(offerer) !== null && closeReasonOf(answerer) !== null
      await stage.until(told, AT_ONCE_MS, 'both give up')
      check(closeReasonOf(offerer) === 'connect-failed', 'the offerer says connect-failed')
      check(closeReasonOf(answerer) === 'connect-failed', 'the answerer says connect-failed')
    },
  ],
  [
    'survives owners that throw, and reports it',
    async (stage) => {
      for (const throwIn of ['signal', 'open', 'message', 'drain', 'close'] as const) {
        const { a, b } = await stage.pair({ a: { throwIn } })
        await stage.until(() => isOpen(a) && isOpen(b), OPEN_LIMIT_MS, `open (throwing in ${throwIn})`)
        await b.send('lossy', new Uint8Array(10))
        await b.send('control', new Uint8Array(10))
        await stage.until(() => countOf(a, 'message') === 2, AT_ONCE_MS, 'both messages')
        if (throwIn === 'drain') {
          await a.fill('lossy', 1150, 40_000)
          await stage.until(() => countOf(a, 'drain') > 0, AT_ONCE_MS, 'drain')
        }
        await a.close()
        await stage.until(() => countOf(a, 'close') === 1, AT_ONCE_MS, 'close')
        const reported = a.errors.some((error) => error.includes(`throws in ${throwIn}`))
        check(reported, `what was thrown in ${throwIn} is reported`)
      }
    },
  ],
  [
    'leaves nothing behind after many links',
    async (stage) => {
      for (let round = 0; round < 3; round++) {
        const pairs = await Promise.all([1, 2, 3, 4, 5].map(() => stage.pair()))
        const all = pairs.flatMap(({ a, b }) => [a, b])
        await stage.until(() => all.every(isOpen), 2 * OPEN_LIMIT_MS, 'all open')
        await Promise.all(pairs.map(({ a }) => a.close()))
        const closed = () => all.every((peer) => closeReasonOf(peer) !== null)
        await stage.until(closed, 2 * AT_ONCE_MS, 'all closed')
      }
      let live = 0
      for (let round = 0; round < 20; round++) {
        live = (await stage.harness.liveLinks?.()) ?? 0
        if (live === 0) return
        await stage.pass(50)
      }
      check(live === 0, `${live} links are left`)
    },
  ],
]
