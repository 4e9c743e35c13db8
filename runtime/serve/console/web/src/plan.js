import { element, make } from './dom.js'
import { authorization } from './settings.js'
import { serverError } from './stream.js'

/**
 * Shows the plan's page, once somebody wants to see it. It may want the key, which a link could not send, so that it is
 * fetched and given to a frame as a document of its own. In its sandbox it can run the one script that the policy names, and
 * reach nothing of this page.
 */
export function startPlan() {
  const note = element('plan-note', HTMLElement)
  let loading = false
  return async () => {
    if (loading) return
    loading = true
    note.textContent = 'The plan is being drawn.'
    try {
      const response = await fetch('/console/plan', { headers: authorization() })
      if (!response.ok) throw await serverError(response)
      const page = new Blob([await response.arrayBuffer()], { type: 'text/html' })
      const frame = make('iframe')
      frame.title = 'The plan'
      frame.setAttribute('sandbox', 'allow-scripts')
      frame.src = URL.createObjectURL(page)
      element('plan', HTMLElement).append(frame)
      note.hidden = true
    } catch (e) {
      note.textContent = `No plan: ${e instanceof Error ? e.message : e}`
      loading = false // another try may find it, with a key for instance
    }
  }
}
