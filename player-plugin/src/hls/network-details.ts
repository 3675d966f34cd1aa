/** What hls.js gives to the site with an error, where the origin's detail is that. */
export function networkDetails(details: unknown): Response | XMLHttpRequest | null {
  if (typeof Response === 'function' && details instanceof Response) return details
  if (typeof XMLHttpRequest === 'function' && details instanceof XMLHttpRequest) return details
  return null
}
