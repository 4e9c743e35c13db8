import { make } from './dom.js'

/** @typedef {{ code: boolean, text: string, language: string }} Part */

/**
 * The parts of a reply: plain text, and code between fences of three backticks or more (CommonMark 4.5, without
 * indentation). Nothing else of Markdown is read. A fence that is not closed yet reaches to the end.
 * @param {string} text
 * @returns {Part[]}
 */
export function parts(text) {
  /** @type {Part[]} */
  const out = []
  let fence = ''
  let language = ''
  /** @type {string[]} */
  let lines = []
  const flush = (/** @type {boolean} */ code) => {
    if (lines.length > 0 || code) out.push({ code, text: lines.join('\n'), language })
    lines = []
    language = ''
  }
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,})([^`]*)$/.exec(line)
    if (!fence && mark) {
      flush(false)
      fence = mark[1] ?? ''
      language = (mark[2] ?? '').trim()
    } else if (fence && mark && (mark[1] ?? '').length >= fence.length && !mark[2]?.trim()) {
      flush(true)
      fence = ''
    } else {
      lines.push(line)
    }
  }
  flush(fence !== '')
  return out
}

/**
 * Shows a text in an element. What is there already and did not change stays, so that a reader's selection does.
 * @param {HTMLElement} into
 * @param {string} text
 */
export function show(into, text) {
  const list = parts(text)
  list.forEach((part, i) => {
    const old = into.children[i]
    const name = part.code ? 'PRE' : 'DIV'
    if (old?.tagName === name) {
      const holder = part.code ? old.firstElementChild : old
      if (holder && holder.textContent !== part.text) holder.textContent = part.text
      return
    }
    let fresh
    if (part.code) {
      fresh = make('pre', '', make('code', '', part.text))
      fresh.tabIndex = 0 // it scrolls
      fresh.setAttribute('role', 'group')
      fresh.setAttribute('aria-label', part.language ? `code: ${part.language}` : 'code')
    } else {
      fresh = make('div', 'words', part.text)
    }
    if (old) old.replaceWith(fresh)
    else into.append(fresh)
  })
  while (into.children.length > list.length) into.lastElementChild?.remove()
}
