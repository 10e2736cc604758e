import type { Span } from '~/features/logs/line-pieces'
import type { LogsView } from '~/features/logs/logs-view'

/** So many finds of one line are marked: each is an element of the page. */
const MAX_SPANS = 200

/**
 * Where the search finds something in the plain text of a line, for the page to mark it; the server finds the lines. `null`
 * without a search, and for an expression that only the server understands.
 */
export function lineMatcher(
  view: Pick<LogsView, 'search' | 'regex' | 'caseSensitive'>,
): ((text: string) => Span[]) | null {
  const { search, regex, caseSensitive } = view
  if (search === '') return null
  let pattern: RegExp
  try {
    const source = regex ? search : search.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    pattern = new RegExp(source, `gu${caseSensitive ? '' : 'i'}`)
  } catch {
    return null
  }
  return (text) => {
    const spans: Span[] = []
    for (const match of text.matchAll(pattern)) {
      if (match[0] === '') continue
      spans.push([match.index, match.index + match[0].length])
      if (spans.length === MAX_SPANS) break
    }
    return spans
  }
}
