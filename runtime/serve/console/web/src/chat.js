import { element, make } from './dom.js'
import { askForKey, authorization, requestFields, systemPrompt } from './settings.js'
import { add, events, newReply, serverError, ServerError } from './stream.js'
import { show } from './words.js'

/** @typedef {import('./stream.js').Reply} Reply */

const log = element('log', HTMLElement)
const empty = element('empty', HTMLElement)
const text = element('text', HTMLTextAreaElement)
const label = element('text-label', HTMLLabelElement)
const send = element('send', HTMLButtonElement)
const stop = element('stop', HTMLButtonElement)
const status = element('status', HTMLElement)

/** OpenAI's messages so far. @type {Record<string, unknown>[]} */
let messages = []
/** Tool calls that wait for their results. @type {{ id: string, name: string }[]} */
let waiting = []
/** Ends the reply that is under way. @type {AbortController | undefined} */
let running

/** @param {() => string} model names the model to ask */
export function startChat(model) {
  element('composer', HTMLFormElement).addEventListener('submit', (e) => {
    e.preventDefault()
    void submit(model())
  })
  text.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return
    e.preventDefault()
    void submit(model())
  })
  stop.addEventListener('click', () => running?.abort())
  element('again', HTMLButtonElement).addEventListener('click', () => {
    running?.abort()
    messages = []
    setWaiting([])
    log.replaceChildren(empty)
    status.textContent = ''
    text.focus()
  })
}

/** @param {{ id: string, name: string }[]} calls */
function setWaiting(calls) {
  waiting = calls
  const [next] = calls
  label.textContent = next ? `Result of ${next.name}` : 'Message'
}

/** @param {string} model */
async function submit(model) {
  if (running) return
  const said = text.value
  if (said.trim() === '' && waiting.length === 0) return
  /** @type {Record<string, unknown>} */
  let fields
  try {
    fields = requestFields()
  } catch (e) {
    status.textContent = e instanceof Error ? e.message : String(e)
    return
  }
  text.value = ''
  const call = waiting[0]
  if (call) {
    messages.push({ role: 'tool', tool_call_id: call.id, content: said })
    bubble('tool', `Result of ${call.name}`).show(said)
    setWaiting(waiting.slice(1))
    if (waiting.length > 0) return // the model wants all results at once
  } else {
    messages.push({ role: 'user', content: said })
    bubble('user', 'You').show(said)
  }
  await answer(model, fields)
}

/**
 * @param {string} model
 * @param {Record<string, unknown>} fields
 */
async function answer(model, fields) {
  const system = systemPrompt()
  const body = {
    model,
    messages: system ? [{ role: 'system', content: system }, ...messages] : messages,
    stream: true,
    stream_options: { include_usage: true },
    ...fields,
  }
  const reply = newReply()
  const view = bubble('assistant', 'Model')
  const abort = new AbortController()
  const asked = messages
  busy(abort)
  const start = performance.now()
  let first = 0
  try {
    const response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization() },
      body: JSON.stringify(body),
      signal: abort.signal,
    })
    if (!response.ok || !response.body) throw await serverError(response)
    for await (const data of events(response.body)) {
      if (data === '[DONE]') break
      add(reply, JSON.parse(data))
      if (!first && (reply.content || reply.reasoning || reply.calls.length > 0)) first = performance.now()
      view.update(reply, false)
    }
  } catch (e) {
    if (!abort.signal.aborted) view.trouble(e)
    else reply.finish ||= 'stopped'
  }
  view.update(reply, true)
  if (running === abort) busy(undefined)
  if (messages !== asked) return // another conversation began meanwhile
  remember(reply)
  status.textContent = summary(reply, first - start, performance.now() - first)
}

/** @param {AbortController | undefined} abort */
function busy(abort) {
  running = abort
  const yes = abort !== undefined
  const focused = document.activeElement === send || document.activeElement === stop
  send.disabled = yes
  stop.hidden = !yes
  log.setAttribute('aria-busy', String(yes))
  if (yes) status.textContent = 'The model is writing.'
  if (focused) (yes ? stop : text).focus()
}

/** @param {Reply} reply */
function remember(reply) {
  if (!reply.content && !reply.reasoning && reply.calls.length === 0) return
  /** @type {Record<string, unknown>} */
  const message = { role: 'assistant', content: reply.content }
  if (reply.reasoning) message.reasoning_content = reply.reasoning
  if (reply.finish === 'tool_calls' && reply.calls.length > 0) {
    message.tool_calls = reply.calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: c.arguments } }))
    setWaiting(reply.calls.map((c) => ({ id: c.id, name: c.name })))
  }
  messages.push(message)
}

/**
 * @param {Reply} reply
 * @param {number} first ms to the first token
 * @param {number} rest ms from there to the end
 */
function summary(reply, first, rest) {
  if (!reply.finish) return ''
  /** @type {Record<string, string>} */
  const words = { stop: 'Done', length: 'Ended at the most tokens', tool_calls: 'The model calls tools', stopped: 'Stopped' }
  const said = [words[reply.finish] ?? reply.finish]
  if (reply.tokens > 0) said.push(`${reply.prompt} + ${reply.tokens} tokens`)
  if (first > 0) said.push(`first after ${first < 1000 ? `${Math.round(first)} ms` : `${(first / 1000).toFixed(1)} s`}`)
  if (reply.tokens > 1 && rest > 0) said.push(`${(((reply.tokens - 1) / rest) * 1000).toFixed(1)} tokens/s`)
  return said.join(' · ')
}

/**
 * A message on the page.
 * @param {'user' | 'assistant' | 'tool'} role
 * @param {string} who
 */
function bubble(role, who) {
  empty.remove()
  const words = make('div')
  const summary = make('summary')
  const thought = make('div', 'words')
  const details = make('details', 'thought', summary, thought)
  details.hidden = true
  const calls = make('div')
  const box = make('article', `message ${role}`, make('h2', '', who), details, words, calls)
  box.setAttribute('aria-label', who)
  log.append(box)
  follow(true)
  /** @type {{ reply: Reply, done: boolean } | undefined} */
  let due

  // A reply may come faster than a screen is drawn: it is drawn once a frame.
  const draw = () => {
    if (!due) return
    const { reply, done } = due
    due = undefined
    const atEnd = nearEnd()
    details.hidden = !reply.reasoning
    const thinking = !done && !reply.content && reply.calls.length === 0
    summary.textContent = `${thinking ? 'Thinking' : 'Thought'} (${reply.reasoning.length} characters)`
    if (thought.textContent !== reply.reasoning) thought.textContent = reply.reasoning
    show(words, reply.content)
    while (calls.children.length < reply.calls.length) calls.append(make('div', 'call', make('h3'), make('pre')))
    reply.calls.forEach((call, i) => {
      const [name, args] = calls.children[i]?.children ?? []
      if (name) name.textContent = `calls ${call.name}`
      if (args) args.textContent = readable(call.arguments)
    })
    follow(atEnd)
  }
  return {
    show(/** @type {string} */ said) {
      show(words, said)
      follow(true)
    },
    update(/** @type {Reply} */ reply, /** @type {boolean} */ done) {
      if (!due) requestAnimationFrame(draw)
      due = { reply, done }
      if (done) draw() // a page in the background has no frames
    },
    trouble(/** @type {unknown} */ e) {
      const message = e instanceof Error ? e.message : String(e)
      const said = make('p', 'trouble', message)
      said.setAttribute('role', 'alert')
      box.append(said)
      follow(true)
      status.textContent = ''
      if (e instanceof ServerError && e.status === 401) askForKey()
    },
  }
}

/**
 * JSON with line ends, or what is there of it.
 * @param {string} json
 */
function readable(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2)
  } catch {
    return json
  }
}

const nearEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80

/** @param {boolean} yes */
function follow(yes) {
  if (yes) log.scrollTop = log.scrollHeight
}
