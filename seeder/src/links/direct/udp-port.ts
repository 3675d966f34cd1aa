import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

/**
 * Makes sure that a UDP port can be had, before the native library tries, which says no more than that it
 * cannot; 0 finds a free one.
 *
 * @throws Error with Node's `code`
 */
export function usableUdpPort(port: number, address: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address !== undefined && isIPv6(address) ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ port, address, exclusive: true }, () => {
      const bound = socket.address().port
      socket.close(() => resolve(bound))
    })
  })
}

/** The address of this machine that others most likely reach: the first that is not its own alone. */
export function likelyAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const outside = all.filter(({ internal }) => !internal)
  return (outside.find(({ family }) => family === 'IPv4') ?? outside[0])?.address ?? '127.0.0.1'
}
