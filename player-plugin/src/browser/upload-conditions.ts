import type { BatteryHints, DeviceHints } from './device.js'

/** Share of the battery below which a device that is not charging uploads nothing. */
const LOW_BATTERY = 0.2

const BATTERY_EVENTS = ['levelchange', 'chargingchange'] as const

/**
 * Whether the device itself speaks against uploads: a cellular connection, the data saver, or a battery
 * that is running out, as far as the browser says.
 */
export class UploadConditions {
  readonly #device: DeviceHints
  readonly #onChange: () => void
  #battery: BatteryHints | null = null
  #released = false

  /** @param onChange something changed; the answer may be the same */
  constructor(device: DeviceHints, onChange: () => void) {
    this.#device = device
    this.#onChange = onChange
    device.connection?.addEventListener?.('change', onChange)
    void this.#watchBattery()
  }

  /** True until something is known that speaks against it. */
  get allow(): boolean {
    const { connection } = this.#device
    if (connection?.saveData === true || connection?.type === 'cellular') return false
    const { charging, level } = this.#battery ?? {}
    return !(charging === false && level !== undefined && level < LOW_BATTERY)
  }

  /** Stops listening. */
  release(): void {
    this.#released = true
    this.#device.connection?.removeEventListener?.('change', this.#onChange)
    for (const name of BATTERY_EVENTS) this.#battery?.removeEventListener?.(name, this.#onChange)
  }

  async #watchBattery(): Promise<void> {
    try {
      const battery = await this.#device.getBattery?.()
      if (battery === undefined || this.#released) return
      this.#battery = battery
      for (const name of BATTERY_EVENTS) battery.addEventListener?.(name, this.#onChange)
      this.#onChange()
    } catch {
      // Refused by a permissions policy: then nothing is known of the battery.
    }
  }
}
