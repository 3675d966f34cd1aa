import type { WireText } from '../wire/wire-text.js'

/**
 * Bytes of messages that wait. At a hundred thousand messages of 1 kB a second, those of 5 ms take
 * 500 kB; memory that was never written to is not resident.
 */
const CAPACITY_BYTES = 4 * 1024 * 1024

/** Messages that wait. */
const CAPACITY_MESSAGES = 32 * 1024

/** Numbers of one message: where it begins, where it ends, the one before it in its chain. */
const RECORD = 3

/**
 * Messages as bytes side by side, in chains: one for each receiver.
 *
 * Strings that wait outlive the garbage collector's young generation, and joining them is more work
 * than copying their characters to where the socket takes them from.
 */
export class MessageArena {
  private readonly bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES)
  private readonly records = new Int32Array(CAPACITY_MESSAGES * RECORD)
  private count = 0
  private used = 0
  private head: WireText | null = null
  private headAt = 0
  private readonly messages: Uint8Array[] = []

  /** @param length of one more message */
  hasRoom(length: number): boolean {
    return this.used + length <= CAPACITY_BYTES && this.count < CAPACITY_MESSAGES
  }

  /**
   * Adds a message, for which there must be room.
   *
   * @param before the last one of its chain; -1 for none
   * @returns the message
   */
  add(head: WireText, body: WireText, tail: WireText, before: number): number {
    const start = this.used
    this.addHead(head)
    this.addPart(body)
    this.addPart(tail)
    const at = this.count * RECORD
    this.records[at] = start
    this.records[at + 1] = this.used
    this.records[at + 2] = before
    return this.count++
  }

  /** The chain's messages, oldest first. The list is that of the last call, filled anew. */
  chain(last: number): readonly Uint8Array[] {
    const { messages, records } = this
    const { buffer, byteOffset } = this.bytes
    messages.length = 0
    for (let i = last; i >= 0; i = records[i * RECORD + 2] ?? -1) {
      const start = records[i * RECORD] ?? 0
      messages.push(new Uint8Array(buffer, byteOffset + start, (records[i * RECORD + 1] ?? 0) - start))
    }
    return messages.length > 1 ? messages.reverse() : messages
  }

  clear(): void {
    this.count = 0
    this.used = 0
    this.head = null
  }

  /** All offers of an announce have one: bytes are copied several times as fast as characters. */
  private addHead(head: WireText): void {
    const at = this.used
    if (head === this.head) {
      this.bytes.copyWithin(at, this.headAt, this.headAt + head.length)
      this.used += head.length
      return
    }
    this.addPart(head)
    this.head = head
    this.headAt = at
  }

  private addPart(part: WireText): void {
    if (part.length > 0) this.used += this.bytes.write(part, this.used, 'latin1')
  }
}
