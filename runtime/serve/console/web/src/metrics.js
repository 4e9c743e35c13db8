import { element, make, makeSVG } from './dom.js'
import { authorization } from './settings.js'
import { serverError } from './stream.js'

// The server's metrics in Prometheus' text form, read every second.

const every = 1000 // ms
const kept = 120 // points

/**
 * The values of a Prometheus text, by name; those of several labels are added up. Buckets are left out.
 * @param {string} text
 * @returns {Map<string, number>}
 */
export function parse(text) {
  const values = new Map()
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})? ([^ ]+)/.exec(line)
    if (!found?.[1] || found[1].endsWith('_bucket')) continue
    const value = Number(found[2])
    if (Number.isFinite(value)) values.set(found[1], (values.get(found[1]) ?? 0) + value)
  }
  return values
}

/** @typedef {{ at: number, values: Map<string, number> }} Sample */
/** @typedef {(now: Sample, before: Sample) => number | undefined} Measure */

/** @param {string} name @returns {Measure} */
const gauge = (name) => (now) => now.values.get(name)

/** @param {string} name @returns {Measure} */
const rate = (name) => (now, before) => {
  const [a, b] = [before.values.get(name), now.values.get(name)]
  if (a === undefined || b === undefined || b < a || now.at <= before.at) return undefined
  return ((b - a) / (now.at - before.at)) * 1000
}

/** The mean of what a histogram took in since the last sample. @param {string} name @returns {Measure} */
const mean = (name) => (now, before) => {
  const count = (now.values.get(`${name}_count`) ?? 0) - (before.values.get(`${name}_count`) ?? 0)
  const sum = (now.values.get(`${name}_sum`) ?? 0) - (before.values.get(`${name}_sum`) ?? 0)
  return count > 0 ? (sum / count) * 1000 : undefined
}

/** @type {{ title: string, unit: string, most?: number, lines: { name: string, measure: Measure }[] }[]} */
const charts = [
  { title: 'Requests', unit: '', lines: [{ name: 'running', measure: gauge('vllm:num_requests_running') }, { name: 'waiting', measure: gauge('vllm:num_requests_waiting') }] },
  { title: 'Tokens a second', unit: '', lines: [{ name: 'generated', measure: rate('vllm:generation_tokens_total') }, { name: 'of prompts', measure: rate('vllm:prompt_tokens_total') }] },
  {
    title: 'KV cache',
    unit: '%',
    most: 100,
    lines: [
      {
        name: 'in use',
        measure: (now) => {
          const part = now.values.get('vllm:kv_cache_usage_perc')
          return part === undefined ? undefined : part * 100
        },
      },
    ],
  },
  { title: 'Time to the first token', unit: ' ms', lines: [{ name: 'mean', measure: mean('vllm:time_to_first_token_seconds') }] },
  { title: 'Time between tokens', unit: ' ms', lines: [{ name: 'mean', measure: mean('vllm:inter_token_latency_seconds') }] },
]

const classes = ['first', 'second']

/** @param {number} value */
const short = (value) => (value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toPrecision(2))

/**
 * The path of a line through points, of which some may be missing: 0 to 120 across, 0 to 100 down.
 * @param {(number | undefined)[]} points
 * @param {number} most
 */
export function pathOf(points, most) {
  let path = ''
  let pen = false
  points.forEach((value, i) => {
    if (value === undefined) {
      pen = false
      return
    }
    const x = kept - points.length + i
    path += `${pen ? 'L' : 'M'}${x} ${(100 - (value / most) * 100).toFixed(1)}`
    if (!pen && points[i + 1] === undefined) path += `L${x + 0.5} ${(100 - (value / most) * 100).toFixed(1)}`
    pen = true
  })
  return path
}

/** @param {(typeof charts)[number]} chart */
function draw(chart) {
  const svg = makeSVG('svg', { viewBox: `0 0 ${kept} 100`, preserveAspectRatio: 'none', role: 'img' })
  for (const y of ['0', '50', '100']) svg.append(makeSVG('line', { x1: '0', x2: String(kept), y1: y, y2: y }))
  const most = make('span', 'most')
  const lines = chart.lines.map((line, i) => {
    const className = classes[i] ?? ''
    const path = makeSVG('path', { class: className })
    svg.append(path)
    const now = make('span', 'now')
    /** @type {(number | undefined)[]} */
    const points = []
    return { line, path, now, points, key: make('span', `key ${className}`, `${line.name} `, now) }
  })
  element('charts', HTMLElement).append(make('figure', '', make('figcaption', '', make('b', '', chart.title), ...lines.map((l) => l.key)), make('div', 'plot', svg, most), make('p', 'ago', make('span', '', '2 minutes ago'), make('span', '', 'now'))))
  return (/** @type {Sample} */ now, /** @type {Sample} */ before) => {
    for (const l of lines) {
      l.points.push(l.line.measure(now, before))
      if (l.points.length > kept) l.points.shift()
    }
    const top = chart.most ?? niceTop(Math.max(0, ...lines.flatMap((l) => l.points.filter((p) => p !== undefined))))
    const said = []
    for (const l of lines) {
      l.path.setAttribute('d', pathOf(l.points, top))
      const last = l.points.at(-1)
      l.now.textContent = last === undefined ? '–' : short(last) + chart.unit
      said.push(`${l.line.name} ${l.now.textContent}`)
    }
    most.textContent = short(top) + chart.unit
    svg.setAttribute('aria-label', `${chart.title}: ${said.join(', ')}`)
  }
}

/**
 * The next of 1, 2, 5, 10 and so on.
 * @param {number} value
 */
export function niceTop(value) {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value) ?? value
}

/**
 * Reads metrics for as long as the page is open and in front, so that whoever looks at them sees what was before. Where they
 * cannot be read, it goes on only while somebody looks. What it gives says whether somebody does.
 */
export function startMetrics() {
  const note = element('metrics-note', HTMLElement)
  const drawn = charts.map(draw)
  /** @type {Sample | undefined} */
  let before
  let looked = false
  let running = false

  const read = async () => {
    try {
      const response = await fetch('/metrics', { headers: authorization() })
      if (!response.ok) throw await serverError(response)
      const now = { at: performance.now(), values: parse(await response.text()) }
      for (const update of drawn) update(now, before ?? now)
      before = now
      note.textContent = ''
      return true
    } catch (e) {
      note.textContent = `No metrics: ${e instanceof Error ? e.message : e}`
      return false
    }
  }
  // The next one is asked for when the last one is there: a server that is slow is not asked more often than it answers.
  const loop = async () => {
    running = document.hidden || (await read()) || looked
    if (running) setTimeout(loop, every)
  }
  const start = () => {
    if (running) return
    running = true
    void loop()
  }
  start()
  return (/** @type {boolean} */ yes) => {
    looked = yes
    if (yes) start()
  }
}
