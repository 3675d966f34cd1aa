import type { Log } from '../adapters/log.js'
import type { IntegrityMetricsSource } from '../adapters/prometheus-integrity.js'
import type { Admission } from '../admission/admission.js'
import type { Attestor } from '../integrity/attestor.js'
import { attestorFrom, ephemeralAttestor } from '../integrity/attestor.js'
import { Integrity } from '../integrity/integrity.js'
import type { FileWatch } from './file-watch.js'
import type { TrackerSettings } from './options.js'

/**
 * What the tracker may say about whose bytes to trust, by its settings.
 *
 * @throws OptionsError when the key's file cannot be used
 */
export async function createIntegrity(
  settings: TrackerSettings,
  files: FileWatch,
  log: Log,
): Promise<Integrity> {
  const { seeders, attestation, admission } = settings
  const { hmacSecretFile, publicKeyFile } = admission.tokens
  const told = seeders.keys.length > 0 || hmacSecretFile !== undefined || publicKeyFile !== undefined
  return new Integrity({
    keys: new Set(seeders.keys),
    vouchLoopback: seeders.vouchLoopback ?? !told,
    networks: attestation.networks,
    sameNetwork: attestation.sameNetwork,
    attestor: await attestorOf(settings, files, log),
  })
}

async function attestorOf(
  { attestation: { enabled, keyFile }, redis }: TrackerSettings,
  files: FileWatch,
  log: Log,
): Promise<Attestor | null> {
  if (!enabled) return null
  if (keyFile === undefined) {
    if (redis === undefined) return ephemeralAttestor()
    // Each node would have another key, and its signatures mean nothing to the viewers of the others.
    log.warn({}, 'attestation is off: in a cluster all nodes need the same attestation.keyFile')
    return null
  }
  let attestor: Attestor | null = null
  await files.add('attestation.keyFile', {
    what: 'the key of attestations',
    paths: [keyFile],
    use([pem = '']) {
      const read = attestorFrom(pem)
      // Viewers know the first one: another takes a restart.
      attestor ??= read
    },
  })
  return attestor
}

/** For `/metrics`. */
export function integrityMetrics({
  counters,
  vouches,
  comparison,
  announcements,
}: Integrity): IntegrityMetricsSource {
  return {
    ...counters,
    vouchedKeys: vouches.size,
    comparedSegments: comparison.size,
    dropped: comparison.dropped,
    verdictsSent: announcements.sent,
  }
}

/** Keys vouched for because their seeders are local are taken back once a proxy turns out to be in front. */
export function watchLocalProxy(admission: Admission, integrity: Integrity, log: Log): void {
  admission.onLocalProxy = () => {
    integrity.vouches.drop('loopback')
    log.warn({}, 'pages of other hosts come in from this machine: seeders on it are not vouched for any more')
  }
}
