/** @typedef {{ id: string, name: string, arguments: string }} Call */
/** @typedef {{ content: string, reasoning: string, calls: Call[], finish: string, tokens: number, prompt: number }} Reply */

/** @returns {Reply} */
export const newReply = () => ({ content: '', reasoning: '', calls: [], finish: '', tokens: 0, prompt: 0 })

/** What a server said instead of an answer. */
export class ServerError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * The error of a response that is not OK.
 * @param {Response} response
 */
export async function serverError(response) {
  const text = await response.text().catch(() => '')
  let message = text.slice(0, 500)
  try {
    message = String(JSON.parse(text).error.message)
  } catch {
    // it is no error of ours: the text itself says what there is to say
  }
  return new ServerError(response.status, message || `the server answered ${response.status}`)
}

/**
 * The data of a stream's events, as they come.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* events(body) {
  const reader = body.pipeThrough(/** @type {ReadableWritablePair<string, Uint8Array>} */ (new TextDecoderStream())).getReader()
  let rest = ''
  /** @type {string[]} */
  let data = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += value
      const lines = rest.split(/\r?\n/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('data:')) {
          data.push(line.slice(line[5] === ' ' ? 6 : 5))
        } else if (line === '' && data.length > 0) {
          yield data.join('\n')
          data = []
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {}) // the stream may have failed already
  }
}

/**
 * Adds a chunk of a chat completion to a reply.
 * @param {Reply} reply
 * @param {any} chunk
 */
export function add(reply, chunk) {
  if (chunk.error) throw new ServerError(500, String(chunk.error.message ?? 'the server failed'))
  if (chunk.usage) {
    reply.tokens = Number(chunk.usage.completion_tokens) || 0
    reply.prompt = Number(chunk.usage.prompt_tokens) || 0
  }
  const choice = chunk.choices?.[0]
  if (!choice) return
  const delta = choice.delta ?? {}
  if (typeof delta.content === 'string') reply.content += delta.content
  const thought = delta.reasoning_content ?? delta.reasoning
  if (typeof thought === 'string') reply.reasoning += thought
  for (const part of delta.tool_calls ?? []) {
    const index = Number(part.index) || 0
    while (reply.calls.length <= index && reply.calls.length < 128) reply.calls.push({ id: '', name: '', arguments: '' })
    const call = reply.calls[index]
    if (!call) continue
    if (part.id) call.id = String(part.id)
    call.name += part.function?.name ?? ''
    call.arguments += part.function?.arguments ?? ''
  }
  if (choice.finish_reason) reply.finish = String(choice.finish_reason)
}
