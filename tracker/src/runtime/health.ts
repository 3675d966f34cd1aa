/** What `/health` says. */
export interface HealthReport {
  /** `degraded`: it serves, but an operator should look; `draining`: send nobody here. */
  readonly status: 'ok' | 'degraded' | 'draining'
  /** What is amiss by part, left out where nothing is. Only what an operator configured is named. */
  readonly problems?: Readonly<Record<string, string>>
}

/** Puts together what the parts of the tracker say about themselves. */
export class Health {
  private readonly checks = new Map<string, () => string | null>()
  draining = false

  /** @param check what is amiss with this part now, or null; called for every request, so cheap */
  watch(part: string, check: () => string | null): void {
    this.checks.set(part, check)
  }

  report(): HealthReport {
    if (this.draining) return { status: 'draining' }
    const problems: Record<string, string> = {}
    for (const [part, check] of this.checks) {
      const problem = check()
      if (problem !== null) problems[part] = problem
    }
    return Object.keys(problems).length === 0 ? { status: 'ok' } : { status: 'degraded', problems }
  }
}
