/** Search parameters of the page's address: a flat record of text, so that addresses stay short and readable. */
export type SearchParams = Record<string, string>

export function parseSearch(search: string): SearchParams {
  return Object.fromEntries(new URLSearchParams(search))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string') params.set(name, value)
  }
  const text = params.toString()
  // These stand for themselves in a query; escaped they only make an address hard to read.
  return text === ''
    ? ''
    : `?${text.replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%7E', '~')}`
}

/** A list as one parameter: parts are joined by commas, a comma or backslash in a part has a backslash before it. */
export function joinList(parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[\\,]/g, '\\$&')).join(',')
}

export function splitList(text: string | undefined): string[] {
  if (text === undefined || text === '') return []
  const parts: string[] = []
  let part = ''
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\' && index + 1 < text.length) {
      index += 1
      part += text[index]
    } else if (text[index] === ',') {
      parts.push(part)
      part = ''
    } else {
      part += text[index]
    }
  }
  return [...parts, part]
}
