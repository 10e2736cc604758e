import type { JsonValue } from '../src/api/types.ts'

export class FilterError extends Error {}

type Lookup = (field: string) => JsonValue | undefined
export type Predicate = (lookup: Lookup) => boolean

const TOKEN = /\s*(?:(<=|>=|!=|=|<|>|~|\(|\)|,)|"((?:\\.|[^"\\])*)"|`([^`]+)`|([\w./+-]+))/y

interface Token {
  kind: 'sign' | 'text' | 'word'
  text: string
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(source)
    if (match === null)
      throw new FilterError(`cannot read the filter at character ${at + 1}: ${source.slice(at, at + 12)}`)
    if (match[1] !== undefined) tokens.push({ kind: 'sign', text: match[1] })
    else if (match[2] !== undefined) tokens.push({ kind: 'text', text: match[2].replace(/\\(.)/g, '$1') })
    else tokens.push({ kind: 'word', text: match[3] ?? match[4] })
  }
  return tokens
}

/** Reads an expression as `RunsRequest` describes it. */
export function parseFilter(source: string): Predicate {
  const tokens = tokenize(source)
  let next = 0
  const take = (what: string): Token => {
    const token = tokens[next]
    if (token === undefined) throw new FilterError(`the filter ends where ${what} should stand`)
    next += 1
    return token
  }
  const is = (text: string) => tokens[next]?.kind !== 'text' && tokens[next]?.text.toLowerCase() === text
  const accept = (text: string) => {
    if (!is(text)) return false
    next += 1
    return true
  }
  const either = (): Predicate => {
    const parts = [both()]
    while (accept('or')) parts.push(both())
    return (lookup) => parts.some((part) => part(lookup))
  }
  const both = (): Predicate => {
    const parts = [one()]
    while (accept('and')) parts.push(one())
    return (lookup) => parts.every((part) => part(lookup))
  }
  const one = (): Predicate => {
    if (accept('not')) {
      const part = one()
      return (lookup) => !part(lookup)
    }
    if (accept('(')) {
      const part = either()
      if (!accept(')')) throw new FilterError('a closing parenthesis is missing')
      return part
    }
    const field = take('a field').text
    const operator = take(`an operator after ${field}`).text.toLowerCase()
    if (operator === 'in') {
      if (!accept('(')) throw new FilterError('in must be followed by a list in parentheses')
      const values = [value()]
      while (accept(',')) values.push(value())
      if (!accept(')')) throw new FilterError('a closing parenthesis is missing')
      return (lookup) => values.some((each) => compare(lookup(field), '=', each))
    }
    if (!['=', '!=', '<', '<=', '>', '>=', '~'].includes(operator)) {
      throw new FilterError(`${operator} is not an operator; use = != < <= > >= ~ or in`)
    }
    const wanted = value()
    return (lookup) => compare(lookup(field), operator, wanted)
  }
  const value = (): JsonValue => {
    const token = take('a value')
    if (token.kind === 'text') return token.text
    if (token.text === 'null') return null
    if (token.text === 'true' || token.text === 'false') return token.text === 'true'
    const number = Number(token.text)
    if (Number.isNaN(number)) throw new FilterError(`${token.text} is neither a number nor a quoted text`)
    return number
  }
  const predicate = either()
  if (next < tokens.length)
    throw new FilterError(`${tokens[next].text} is not expected here; join conditions by and, or`)
  return predicate
}

function compare(found: JsonValue | undefined, operator: string, wanted: JsonValue): boolean {
  if (Array.isArray(found))
    return operator === '!=' ? !found.includes(wanted) : found.some((each) => compare(each, operator, wanted))
  if (found === undefined || found === null) return operator === '=' && wanted === null
  if (operator === '~') return String(found).toLowerCase().includes(String(wanted).toLowerCase())
  if (operator === '=') return found === wanted
  if (operator === '!=') return found !== wanted
  if (typeof found !== typeof wanted) return false
  const [a, b] = [found as number, wanted as number]
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b
}
