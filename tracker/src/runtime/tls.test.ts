import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { TestCertificate } from '../testing/certificate.js'
import { newCertificate } from '../testing/certificate.js'
import { announce } from '../testing/messages.js'
import { createTracker } from './create-tracker.js'

const folder = await mkdtemp(join(tmpdir(), 'shoal-tls-'))
const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
afterAll(() => rm(folder, { recursive: true }))

async function write({ cert, key }: TestCertificate): Promise<void> {
  await writeFile(certFile, cert)
  await writeFile(keyFile, key)
}

/** The name in the certificate that the server shows. */
async function nameAt(port: number): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return CN
}

it('serves wss, and takes a new certificate without a restart', async () => {
  await write(newCertificate('first'))
  const tracker = await createTracker({
    host: '127.0.0.1',
    port: 0,
    reloadSeconds: 0.1,
    tls: { certFile, keyFile },
  })
  expect([tracker.engine, tracker.url]).toEqual(['ws', `https://127.0.0.1:${tracker.port}`])
  const ws = new WebSocket(tracker.url.replace('https', 'wss'), { rejectUnauthorized: false })
  await once(ws, 'open')
  ws.send(JSON.stringify(announce('a')))
  const [data] = await once(ws, 'message')
  expect(JSON.parse(String(data))).toMatchObject({ incomplete: 1 })

  expect(await nameAt(tracker.port)).toBe('first')
  const second = newCertificate('second')
  // A certificate without its key, as in the middle of an update: the old pair stays.
  await writeFile(certFile, second.cert)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await nameAt(tracker.port)).toBe('first')
  await write(second)
  await expect.poll(() => nameAt(tracker.port), { timeout: 10_000 }).toBe('second')
  ws.send(JSON.stringify(announce('a')))
  await once(ws, 'message')
  await tracker.close()
})

it('names the setting of a file that cannot be used', async () => {
  await write({ ...newCertificate('one'), key: newCertificate('another').key })
  const options = { host: '127.0.0.1', port: 0, tls: { certFile, keyFile } }
  await expect(createTracker(options)).rejects.toThrow(/^tls\.certFile: .*key/)
  await expect(createTracker({ ...options, tls: { certFile, keyFile: '/nonexistent' } })).rejects.toThrow(
    /^tls\.certFile: \/nonexistent: there is no such file$/,
  )
})
