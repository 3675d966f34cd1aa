import type { Outlet } from '../swarm/session.js'

/** An outlet that hands each message to `take`, as text of one byte a character. */
export function textOutlet(take: (text: string) => void): Outlet {
  return { send: (...parts) => take(parts.join('')) }
}
