import { announce, answer, id, offers } from './messages.js'
import { RawClient } from './raw-client.js'

/** Offers in each announce, as stock clients make them. */
const OFFERS = 5

/** Longest wait before a client whose socket was lost tries another node, in ms. */
const RETRY_MS = 500

interface Member {
  readonly name: string
  client: RawClient
  timer: NodeJS.Timeout | undefined
}

/**
 * Clients of one swarm at the nodes of a cluster: each announces with new offers once an interval, answers what
 * it is offered, and goes to another node when its socket is lost. It notes who was introduced to whom.
 */
export class Crowd {
  /** How often each offer has been delivered. */
  readonly delivered = new Map<string, number>()
  /** How often each answer has. */
  readonly answered = new Map<string, number>()
  private readonly members: Member[] = []
  private readonly infoHash: string
  private readonly intervalMs: number
  private readonly urls: () => readonly string[]
  private groups = new Map<string, string>()
  private serial = 0
  private closed = false

  /** @param urls `http://` of the nodes that may be tried now */
  constructor(infoHash: string, intervalMs: number, urls: () => readonly string[]) {
    this.infoHash = infoHash
    this.intervalMs = intervalMs
    this.urls = urls
  }

  get size(): number {
    return this.members.length
  }

  /** A new client at a node; it announces at once. */
  async join(url: string): Promise<void> {
    const member: Member = { name: `m${this.size}`, client: await RawClient.open(url), timer: undefined }
    this.members.push(member)
    void this.live(member)
    // Real clients are not in step.
    this.announce(member, Math.random() * this.intervalMs)
  }

  /** Forgets who was introduced to whom so far. */
  mark(): void {
    this.groups = new Map()
  }

  /** Into how many parts the swarm falls, by introductions since the last `mark`. */
  get parts(): number {
    return new Set(this.members.map(({ name }) => this.root(id(name)))).size
  }

  /** What came more than once. */
  get repeated(): string[] {
    const all = [...this.delivered, ...this.answered]
    return all.filter(([, times]) => times > 1).map(([offerId]) => offerId)
  }

  async close(): Promise<void> {
    this.closed = true
    for (const { timer } of this.members) clearInterval(timer)
    await Promise.all(this.members.map(({ client }) => client.close()))
  }

  private announce(member: Member, nextMs = this.intervalMs): void {
    const names = Array.from({ length: OFFERS }, () => `o${++this.serial}`)
    member.client.send(announce(member.name, { info_hash: this.infoHash, ...offers(...names) }))
    clearTimeout(member.timer)
    member.timer = setTimeout(() => this.announce(member), nextMs)
  }

  private async live(member: Member): Promise<void> {
    while (!this.closed) {
      try {
        this.take(member, await member.client.next())
      } catch {
        // Nothing came for a while, or the socket is gone.
        if (member.client.ws.readyState === member.client.ws.CLOSED) await this.reconnect(member)
      }
    }
  }

  private take(member: Member, message: Readonly<Record<string, unknown>>): void {
    const [from, offerId] = [String(message['peer_id']), String(message['offer_id'])]
    if ('offer' in message) {
      count(this.delivered, offerId)
      this.unite(id(member.name), from)
      // As the test's messages name them: without what fills an id up.
      const [to, offer] = [from, offerId].map((text) => text.replace(/-+$/, ''))
      member.client.send({ ...answer(member.name, to ?? '', offer ?? ''), info_hash: this.infoHash })
    } else if ('answer' in message) count(this.answered, `answer to ${offerId}`)
  }

  private async reconnect(member: Member): Promise<void> {
    clearTimeout(member.timer)
    while (!this.closed) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS))
      const urls = this.urls()
      const opened = await RawClient.open(urls[Math.floor(Math.random() * urls.length)] ?? '').catch(
        () => null,
      )
      if (opened === null) continue
      member.client = opened
      if (this.closed) await opened.close()
      else this.announce(member)
      return
    }
  }

  private root(name: string): string {
    let root = name
    for (let next = this.groups.get(root); next !== undefined; next = this.groups.get(root)) root = next
    return root
  }

  private unite(a: string, b: string): void {
    const [one, other] = [this.root(a), this.root(b)]
    if (one !== other) this.groups.set(one, other)
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
