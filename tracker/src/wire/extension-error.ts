/** Something in the `shoal` key of an announce is out of form. The message names the key. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError'
}
