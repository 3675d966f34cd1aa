import type { Quantity } from './format.js'
import { type BySource, sumOf } from './offload.js'

/** An element that the page's own HTML holds. Throws where it does not: the build is broken then. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new TypeError(`no ${type.name} #${id} in the page`)
  return found
}

/** A new element with classes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  made.append(...children)
  return made
}

/** Writes text only where it differs, so that a selection survives the second. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Writes a number with its unit in a smaller type. */
export function setQuantity(element: Element, { number, unit }: Quantity): void {
  const text = unit === '' ? number : `${number}\u00a0${unit}`
  if (element.textContent === text) return
  if (unit === '') element.replaceChildren(number)
  else element.replaceChildren(number, make('span', 'unit', `\u00a0${unit}`))
}

/** A bar of shares: peers, seeders and HTTP in one line. */
export function makeBar(): HTMLElement {
  const bar = make('span', 'bar', make('span', 'peers'), make('span', 'seeders'), make('span', 'http'))
  bar.setAttribute('role', 'img')
  return bar
}

/** Draws the shares of a bar and says them to those who do not see it. */
export function setBar(bar: HTMLElement, amounts: BySource, words: string): void {
  const all = sumOf(amounts)
  const shares = [amounts.peers, amounts.seeders, amounts.http]
  for (const [index, part] of [...bar.children].entries()) {
    if (!(part instanceof HTMLElement)) continue
    const share = all > 0 ? (shares[index] ?? 0) / all : 0
    part.style.width = `${(share * 100).toFixed(2)}%`
  }
  if (bar.ariaLabel !== words) {
    bar.ariaLabel = words
    bar.title = words
  }
}
