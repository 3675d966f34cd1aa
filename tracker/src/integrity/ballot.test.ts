import type { PeerId } from '@shoal/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ballot, NETWORKS_FOR_BLAME } from './ballot.js'

const peer = (name: string | number) => `peer ${name}` as PeerId

/** One peer of each network has loaded the digest. */
function ballot(votes: Readonly<Record<string, readonly number[]>>): Ballot {
  const made = new Ballot()
  for (const [digest, networks] of Object.entries(votes)) {
    for (const network of networks) made.vote(digest, network, peer(network))
  }
  return made
}

function outcome(votes: Readonly<Record<string, readonly number[]>>) {
  const { agreed, disputed, wrong } = ballot(votes).outcome(2)
  return { agreed: agreed?.digest ?? null, disputed, wrong }
}

it.each([
  ['one network alone', { a: [1] }, { agreed: null, disputed: false, wrong: [] }],
  ['two that agree', { a: [1, 2] }, { agreed: 'a', disputed: false, wrong: [] }],
  ['two that do not', { a: [1], b: [2] }, { agreed: null, disputed: true, wrong: [] }],
  ['two against one', { a: [1, 2], b: [3] }, { agreed: null, disputed: true, wrong: [] }],
  ['one against three', { a: [1, 2, 3], b: [4] }, { agreed: 'a', disputed: false, wrong: ['b'] }],
  ['two against three', { a: [1, 2, 3], b: [4, 5] }, { agreed: null, disputed: true, wrong: ['b'] }],
  ['three against three', { a: [1, 2, 3], b: [4, 5, 6] }, { agreed: null, disputed: true, wrong: [] }],
  ['three lists', { a: [1], b: [2], c: [3] }, { agreed: null, disputed: true, wrong: [] }],
])('%s', (_, votes, expected) => {
  expect(outcome(votes)).toEqual(expected)
})

it('neighbours of one network are one voice', () => {
  const votes = new Ballot()
  for (let i = 0; i < 100; i++) votes.vote('a', 7, peer(i))
  expect(votes.outcome(2)).toEqual({ agreed: null, disputed: false, wrong: [] })
  expect([...votes.reportersOf('a')].length).toBeLessThanOrEqual(64)
})

it('a network that loaded two lists is not heard, and cannot come back', () => {
  const votes = ballot({ a: [1, 2] })
  votes.vote('b', 2, peer('liar'))
  expect(votes.outcome(2)).toMatchObject({ agreed: null, disputed: false })
  votes.vote('a', 2, peer(2))
  expect(votes.outcome(2)).toMatchObject({ agreed: null, disputed: false })
})

it('an objection disputes a list, three and a majority blame it', () => {
  const votes = ballot({ a: [1] })
  votes.object('a', 2)
  expect(votes.outcome(2)).toEqual({ agreed: null, disputed: true, wrong: [] })
  votes.object('a', 3)
  votes.object('a', 3)
  expect(votes.outcome(2).wrong).toEqual([])
  votes.object('a', 4)
  expect(votes.outcome(2).wrong).toEqual(['a'])
})

it('a list that nobody says to have loaded can be objected to', () => {
  const votes = new Ballot()
  votes.object('made up', 1)
  expect(votes.outcome(2)).toEqual({ agreed: null, disputed: true, wrong: [] })
  expect([...votes.reportersOf('made up')]).toEqual([])
})

it('a list that checks found wrong is told of, though most have loaded another', () => {
  const votes = ballot({ a: [1, 2, 3], b: [4] })
  expect(votes.outcome(2).disputed).toBe(false)
  votes.object('b', 1)
  expect(votes.outcome(2)).toMatchObject({ disputed: true, wrong: ['b'] })
  expect(votes.outcome(2).agreed?.digest).toBe('a')
})

it('lists that one network makes up leave room for others', () => {
  const votes = new Ballot()
  for (let i = 0; i < 100; i++) {
    votes.vote(`junk ${i}`, 1, peer('liar'))
    votes.object(`more ${i}`, 1)
  }
  votes.vote('a', 2, peer(2))
  votes.vote('a', 3, peer(3))
  votes.vote('a', 4, peer(4))
  expect(votes.outcome(2).agreed?.digest).toBe('a')
})

it('two networks of liars blame nobody, whatever they say and in whatever order', () => {
  const lies = fc.array(
    fc.record({
      kind: fc.constantFrom('vote', 'object'),
      digest: fc.constantFrom('honest', 'x', 'y', 'z'),
      network: fc.constantFrom(1, 2),
      before: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(lies, (said) => {
      const votes = new Ballot()
      const speak = ({ kind, digest, network }: (typeof said)[number]) =>
        kind === 'vote' ? votes.vote(digest, network, peer(network)) : votes.object(digest, network)
      for (const lie of said) if (lie.before) speak(lie)
      votes.vote('honest', 3, peer('honest'))
      for (const lie of said) if (!lie.before) speak(lie)
      const { wrong } = votes.outcome(2)
      expect(NETWORKS_FOR_BLAME).toBe(3)
      expect(wrong).not.toContain('honest')
    }),
    { numRuns: 500 },
  )
})
