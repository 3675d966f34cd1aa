import { describe, expect, it } from 'vitest'
import { nativeIceServers } from './ice-servers.js'

describe('nativeIceServers', () => {
  it('takes STUN and TURN URLs in one list', () => {
    const turn = { username: 'u', credential: 'c' }
    expect(
      nativeIceServers([
        { urls: ['stun:stun.example', 'stun:[2001:db8::1]:19302'] },
        { urls: 'turn:turn.example?transport=tcp', ...turn },
        { urls: 'turn:turn.example:99', ...turn },
        { urls: 'turns:turn.example', ...turn },
      ]),
    ).toEqual([
      { hostname: 'stun.example', port: 3478 },
      { hostname: '2001:db8::1', port: 19302 },
      { hostname: 'turn.example', port: 3478, username: 'u', password: 'c', relayType: 'TurnTcp' },
      { hostname: 'turn.example', port: 99, username: 'u', password: 'c', relayType: 'TurnUdp' },
      { hostname: 'turn.example', port: 5349, username: 'u', password: 'c', relayType: 'TurnTls' },
    ])
  })

  it('refuses what is no server', () => {
    for (const urls of ['', 'http://stun.example', 'stun:', 'stun:a b', 'stun:host:port']) {
      expect(() => nativeIceServers([{ urls }])).toThrow(TypeError)
    }
    expect(() => nativeIceServers([{ urls: 'turn:turn.example' }])).toThrow('credential')
  })
})
