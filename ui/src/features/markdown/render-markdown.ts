import katex from 'katex'
import 'katex/dist/katex.min.css'
import MarkdownIt from 'markdown-it'

/**
 * Markdown with `$latex$` as HTML that is safe to insert, whoever wrote it: raw HTML is shown as text, links go to web and
 * mail addresses only, pictures become links (a foreign picture would tell its host who reads the notes), and KaTeX is
 * told to trust nothing.
 */
export function renderMarkdown(text: string): string {
  return markdown.render(text)
}

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true })

markdown.validateLink = (url) => /^(?:https?:|mailto:|#|\/(?!\/))/i.test(url.trim())

markdown.renderer.rules.link_open = (tokens, index, options, _env, renderer) => {
  tokens[index].attrSet('rel', 'noopener noreferrer nofollow')
  tokens[index].attrSet('target', '_blank')
  return renderer.renderToken(tokens, index, options)
}

markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]
  const { escapeHtml } = markdown.utils
  const source = String(token.attrGet('src') ?? '')
  const url = escapeHtml(source)
  const label = escapeHtml(token.content === '' ? source : token.content)
  return `<a href="${url}" rel="noopener noreferrer nofollow" target="_blank">${label}</a>`
}

function renderMath(source: string, display: boolean): string {
  return katex.renderToString(source, {
    displayMode: display,
    throwOnError: false,
    trust: false,
    maxSize: 20,
    maxExpand: 200,
  })
}

/** `$…$` within a line (no space just inside, so that prices stay prices) and `$$…$$`. */
markdown.inline.ruler.after('escape', 'math', (state, silent) => {
  const match = /^(?:\$\$([^$]+)\$\$|\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d))/.exec(state.src.slice(state.pos))
  if (match === null) return false
  if (!silent) {
    const token = state.push('math', '', 0)
    token.content = match[1] ?? match[2]
    token.meta = { display: match[1] !== undefined }
  }
  state.pos += match[0].length
  return true
})

markdown.renderer.rules.math = (tokens, index) =>
  renderMath(tokens[index].content, tokens[index].meta?.display === true)
