/** The address of a web page that a text names, without credentials; `null` for anything that is no plain web address. */
export function webLink(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return null
  try {
    const url = new URL(text)
    url.username = ''
    url.password = ''
    return url.href
  } catch {
    return null
  }
}
