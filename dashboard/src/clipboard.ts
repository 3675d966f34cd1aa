/**
 * Puts text on the clipboard. Trackers are often looked at over plain HTTP, where the clipboard's own
 * interface is missing, hence the older way.
 *
 * @returns whether it worked
 */
export async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      // Refused by the reader's settings: the older way may be allowed.
    }
  }
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  field.readOnly = true
  const focused = document.activeElement
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return copied
}
