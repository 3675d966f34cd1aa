/** An EventTarget that counts its listeners. */
export class CountingTarget extends EventTarget {
  count = 0
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.count++
    super.addEventListener(...args)
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.count--
    super.removeEventListener(...args)
  }
}
