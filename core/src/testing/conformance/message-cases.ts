import { MAX_CONTROL_MESSAGE_BYTES, MAX_LOSSY_MESSAGE_BYTES } from '@shoal/protocol'
import { CONTROL_BUFFER_HIGH_BYTES, LOSSY_BUFFER_HIGH_BYTES } from '../../ports/link.js'
import { check, countOf, isOpen, messagesOf, patterned, type Stage, sameBytes } from './stage.js'

const ARRIVAL_LIMIT_MS = 10_000

/** More than any stack keeps below `bufferedAmount` (node-datachannel: 4 MiB) at 1150 bytes each. */
const FILL_LIMIT = 40_000

type Case = readonly [name: string, run: (stage: Stage) => Promise<void>]

/** Opening, carrying messages, back-pressure. */
export const messageCases: readonly Case[] = [
  [
    'opens both ways, whichever side offers',
    async (stage) => {
      for (const offerer of ['a', 'b'] as const) {
        const { a, b } = await stage.connect({ offerer })
        check(countOf(a, 'open') === 1 && countOf(b, 'open') === 1, 'open is told once')
      }
    },
  ],
  [
    'carries 1 to 1150 bytes on the lossy channel, both ways',
    async (stage) => {
      const { a, b } = await stage.connect()
      const sizes = [1, 2, 13, 100, 500, 1136, 1149, MAX_LOSSY_MESSAGE_BYTES]
      for (const [index, size] of sizes.entries()) {
        check((await a.send('lossy', patterned(size, index))) === 'sent', `a sends ${size} bytes`)
        check((await b.send('lossy', patterned(size, index + 100))) === 'sent', `b sends ${size} bytes`)
      }
      const arrived = () => messagesOf(a, 'lossy').length + messagesOf(b, 'lossy').length
      await stage.until(() => arrived() === 2 * sizes.length, ARRIVAL_LIMIT_MS, 'all messages')
      for (const [index, size] of sizes.entries()) {
        const toB = messagesOf(b, 'lossy').find((bytes) => bytes.length === size)
        const toA = messagesOf(a, 'lossy').find((bytes) => bytes.length === size)
        check(sameBytes(toB, patterned(size, index)), `${size} bytes came whole to b`)
        check(sameBytes(toA, patterned(size, index + 100)), `${size} bytes came whole to a`)
      }
    },
  ],
  [
    'carries control messages of up to 16 KiB whole and in order',
    async (stage) => {
      const { a, b } = await stage.connect()
      const sizes = [1, 5, 1150, 1151, 4096, MAX_CONTROL_MESSAGE_BYTES, 3]
      for (let index = 0; index < 60; index++) sizes.push(10 + index)
      for (const [index, size] of sizes.entries()) {
        check((await a.send('control', patterned(size, index))) === 'sent', `${size} bytes are sent`)
      }
      await b.send('control', patterned(MAX_CONTROL_MESSAGE_BYTES, 9))
      const count = () => messagesOf(b, 'control').length
      await stage.until(() => count() === sizes.length, ARRIVAL_LIMIT_MS, 'all control messages')
      await stage.until(() => messagesOf(a, 'control').length === 1, ARRIVAL_LIMIT_MS, 'the other way')
      for (const [index, bytes] of messagesOf(b, 'control').entries()) {
        check(sameBytes(bytes, patterned(sizes[index] ?? 0, index)), `message ${index} is in its place`)
      }
      check(messagesOf(b, 'lossy').length === 0, 'nothing of it came on the lossy channel')
    },
  ],
  [
    'gives the receiver bytes of its own',
    async (stage) => {
      const { a, b } = await stage.connect()
      await a.send('lossy', patterned(100, 1))
      await stage.until(() => messagesOf(b, 'lossy').length === 1, ARRIVAL_LIMIT_MS, 'the first')
      const [first] = messagesOf(b, 'lossy')
      await a.send('lossy', patterned(100, 2))
      await stage.until(() => messagesOf(b, 'lossy').length === 2, ARRIVAL_LIMIT_MS, 'the second')
      check(sameBytes(first, patterned(100, 1)), 'the first message is untouched by the second')
    },
  ],
  [
    'says full at the lossy bound, and drains',
    async (stage) => {
      const { a } = await stage.connect()
      const { last, buffered } = await a.fill('lossy', MAX_LOSSY_MESSAGE_BYTES, FILL_LIMIT)
      check(last === 'full', `the buffer fills (the last send said ${last})`)
      check(buffered <= LOSSY_BUFFER_HIGH_BYTES, `${buffered} bytes are within the bound`)
      check(buffered > LOSSY_BUFFER_HIGH_BYTES / 2, `${buffered} bytes are near the bound`)
      await stage.until(() => countOf(a, 'drain') > 0, ARRIVAL_LIMIT_MS, 'drain')
      check((await a.send('lossy', patterned(100, 1))) === 'sent', 'there is room again')
    },
  ],
  [
    'says full at the control bound, and loses nothing',
    async (stage) => {
      const { a, b } = await stage.connect()
      const { sent, last, buffered } = await a.fill('control', MAX_CONTROL_MESSAGE_BYTES, 2000)
      check(last === 'full', `the buffer fills (the last send said ${last})`)
      check(buffered <= CONTROL_BUFFER_HIGH_BYTES, `${buffered} bytes are within the bound`)
      const received = () => messagesOf(b, 'control')
      await stage.until(() => received().length === sent, 3 * ARRIVAL_LIMIT_MS, `${sent} messages arrive`)
      const inOrder = received().every((bytes, index) => bytes[0] === (index & 255))
      check(inOrder, 'in order')
    },
  ],
  [
    'sends nothing before it is open and after it has closed',
    async (stage) => {
      const { a, b } = await stage.pair()
      check((await a.send('lossy', patterned(10, 1))) === 'closed', 'not open yet')
      check((await a.bufferedAmount('lossy')) === 0, 'nothing queued')
      await stage.until(() => isOpen(a) && isOpen(b), ARRIVAL_LIMIT_MS, 'open')
      await a.fill('lossy', 1000, 20)
      await a.close()
      check((await a.send('lossy', patterned(10, 1))) === 'closed', 'closed: lossy')
      check((await a.send('control', patterned(10, 1))) === 'closed', 'closed: control')
      check((await a.bufferedAmount('lossy')) === 0, 'bufferedAmount of lossy is 0 after close')
      check((await a.bufferedAmount('control')) === 0, 'bufferedAmount of control is 0 after close')
    },
  ],
  [
    'refuses to send a message over the limit, and ends',
    async (stage) => {
      for (const [channel, size] of [
        ['lossy', MAX_LOSSY_MESSAGE_BYTES + 1],
        ['control', MAX_CONTROL_MESSAGE_BYTES + 1],
      ] as const) {
        const { a, b } = await stage.connect()
        check((await a.send(channel, patterned(size, 1))) === 'closed', `${size} bytes on ${channel}`)
        await stage.until(() => countOf(a, 'close') === 1, ARRIVAL_LIMIT_MS, 'close is told')
        check(a.errors.length > 0, 'the owner is told why')
        check(messagesOf(b, channel).length === 0, 'nothing of it was sent')
      }
    },
  ],
]
