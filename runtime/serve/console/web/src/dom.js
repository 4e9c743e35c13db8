// Elements of the page. All text goes through textContent: nothing that a model, a user or a server writes is ever read
// as HTML.

/**
 * The element of an id, which is of a kind.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} ${id}`)
  return found
}

/**
 * A new element with a class and what lies in it.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {string} [className]
 * @param {...(Node | string)} content
 */
export function make(name, className = '', ...content) {
  const e = document.createElement(name)
  if (className) e.className = className
  e.append(...content)
  return e
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
export function makeSVG(name, attributes) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value)
  return e
}
