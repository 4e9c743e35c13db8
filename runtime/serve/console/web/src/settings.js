import { element } from './dom.js'

// What is set is kept for this tab only (sessionStorage), the key above all.
const fields = {
  system: element('system', HTMLTextAreaElement),
  temperature: element('temperature', HTMLInputElement),
  'max-tokens': element('max-tokens', HTMLInputElement),
  thinking: element('thinking', HTMLSelectElement),
  tools: element('tools', HTMLTextAreaElement),
  key: element('key', HTMLInputElement),
}

/** @param {() => void} keyChanged */
export function startSettings(keyChanged) {
  const panel = element('settings', HTMLElement)
  const button = element('open-settings', HTMLButtonElement)
  const open = (/** @type {boolean} */ yes) => {
    panel.hidden = !yes
    button.setAttribute('aria-expanded', String(yes))
  }
  button.addEventListener('click', () => open(panel.hidden !== false))
  panel.addEventListener('keydown', (e) => {
    if (e.key !== 'Escape') return
    open(false)
    button.focus()
  })
  element('settings-form', HTMLFormElement).addEventListener('submit', (e) => e.preventDefault())
  for (const [name, field] of Object.entries(fields)) {
    field.value = sessionStorage.getItem(`glmc.${name}`) ?? field.value
    field.addEventListener('input', () => sessionStorage.setItem(`glmc.${name}`, field.value))
  }
  fields.key.addEventListener('change', keyChanged)
}

/** Opens the settings where the key is missing. */
export function askForKey() {
  if (element('settings', HTMLElement).hidden) element('open-settings', HTMLButtonElement).click()
  fields.key.focus()
}

/** @returns {Record<string, string>} */
export function authorization() {
  const key = fields.key.value.trim()
  return key ? { Authorization: `Bearer ${key}` } : {}
}

export const systemPrompt = () => fields.system.value.trim()

/**
 * The fields of a request that are set. It throws where one makes no sense.
 * @returns {Record<string, unknown>}
 */
export function requestFields() {
  /** @type {Record<string, unknown>} */
  const out = {}
  /** @type {[HTMLInputElement, string][]} */
  const numbers = [[fields.temperature, 'temperature'], [fields['max-tokens'], 'max_tokens']]
  for (const [field, name] of numbers) {
    if (field.validity.badInput || !field.checkValidity()) {
      throw new Error(`${field.labels?.[0]?.firstChild?.textContent?.trim() ?? name}: ${field.validationMessage}`)
    }
    if (field.value) out[name] = field.valueAsNumber
  }
  if (fields.thinking.value) out.chat_template_kwargs = { enable_thinking: fields.thinking.value === 'on' }
  const tools = fields.tools.value.trim()
  if (tools) {
    let list
    try {
      list = JSON.parse(tools)
    } catch (e) {
      throw new Error(`Tools: ${e instanceof Error ? e.message : e}`)
    }
    if (!Array.isArray(list)) throw new Error('Tools: wants a list')
    if (list.length > 0) out.tools = list
  }
  return out
}
