import { startChat } from './chat.js'
import { element } from './dom.js'
import { startMetrics } from './metrics.js'
import { startPlan } from './plan.js'
import { askForKey, authorization, startSettings } from './settings.js'
import { serverError, ServerError } from './stream.js'

const views = ['chat', 'metrics', 'plan']
let model = ''
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting

startSettings(findModel)
const watchMetrics = startMetrics()
const showPlan = startPlan()

/** @param {string} view */
function open(view) {
  for (const name of views) {
    const tab = element(`tab-${name}`, HTMLButtonElement)
    tab.setAttribute('aria-selected', String(name === view))
    tab.tabIndex = name === view ? 0 : -1
    element(name, HTMLElement).hidden = name !== view
  }
  watchMetrics(view === 'metrics')
  if (view === 'plan') void showPlan()
  history.replaceState(null, '', view === 'chat' ? location.pathname : `#${view}`)
}

for (const [i, name] of views.entries()) {
  const tab = element(`tab-${name}`, HTMLButtonElement)
  tab.addEventListener('click', () => open(name))
  tab.addEventListener('keydown', (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key]
    if (!step) return
    const next = views[(i + step + views.length) % views.length] ?? 'chat'
    open(next)
    element(`tab-${next}`, HTMLButtonElement).focus()
  })
}

/** Asks for the model that the server has; again, while it has none yet. */
async function findModel() {
  clearTimeout(waiting)
  const notice = element('notice', HTMLElement)
  try {
    const response = await fetch('/v1/models', { headers: authorization() })
    if (!response.ok) throw await serverError(response)
    model = String((await response.json()).data?.[0]?.id ?? '')
    element('model', HTMLElement).textContent = model
    document.title = model ? `${model} · glmc` : 'glmc'
    notice.hidden = true
  } catch (e) {
    notice.hidden = false
    notice.textContent = e instanceof Error ? e.message : String(e)
    if (e instanceof ServerError && e.status === 503) waiting = setTimeout(findModel, 1000)
    if (e instanceof ServerError && e.status === 401) {
      notice.textContent = 'This server wants an API key.'
      askForKey()
    }
  }
}

startChat(() => model)
const wanted = location.hash.slice(1)
open(views.includes(wanted) ? wanted : 'chat')
await findModel()
document.documentElement.dataset.ready = ''
