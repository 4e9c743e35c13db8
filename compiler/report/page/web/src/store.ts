// What is shown at present, kept in the address too, so that a view can be linked to and the browser's Back works.

import { useEffect, useState } from 'preact/hooks'
import { changed, data, lastStage, local, source, trackFor } from './model'

export const views = ['overview', 'passes', 'graph', 'memory', 'timeline', 'cost'] as const
export type View = (typeof views)[number]

export interface State {
  view: View
  track: number
  bucket: number
  stage: number // the stage behind the pass that is looked at
  pass: number // the pass, where there is no stage for each
  section: number
  value: number // 0: none
  file: number
  line: number // 0: none
  columns: boolean // a column for each pass instead of two stages side by side
  panel: boolean
}

// The first thing to look at is the last pass that changed something, and the commonest kind of layer.
function initial(): State {
  let stage = lastStage
  while (stage > 1 && !changed(0, stage)) stage--
  return {
    view: 'overview', track: 0, bucket: 0, stage, pass: Math.max(0, data.passes.findIndex((p) => p.applied > 0)), section: commonest(0), value: 0, file: 0, line: 0, columns: false, panel: true,
  }
}

export function commonest(track: number): number {
  const t = data.tracks[track]
  if (!t) return 0
  let best = 0
  t.sections.forEach((s, i) => {
    if (s.count > t.sections[best]!.count || (s.layers.length > 0 && t.sections[best]!.layers.length === 0)) best = i
  })
  return best
}

const numbers = ['track', 'bucket', 'stage', 'pass', 'section', 'value', 'file', 'line'] as const

function parse(hash: string): State {
  const s = initial()
  const q = new URLSearchParams(hash.replace(/^#/, ''))
  const view = q.get('view')
  if (views.includes(view as View)) s.view = view as View
  for (const key of numbers) {
    const n = Number.parseInt(q.get(key) ?? '', 10)
    if (Number.isSafeInteger(n) && n >= 0) s[key] = n
  }
  s.columns = q.get('columns') === '1'
  s.panel = q.get('panel') !== '0'
  return bounded(s)
}

// bounded keeps numbers in what there is: an address may come from another page.
function bounded(s: State): State {
  const bucket = Math.min(s.bucket, Math.max(0, data.buckets.length - 1))
  let t = data.tracks[s.track] ? s.track : 0
  if (data.tracks[t] && local(t, bucket) < 0) t = trackFor(data.tracks[t]!.entry, bucket)
  const track = data.tracks[t]
  return {
    ...s,
    track: t,
    bucket,
    stage: Math.min(s.stage, lastStage),
    pass: Math.min(s.pass, Math.max(0, data.passes.length - 1)),
    section: Math.min(s.section, Math.max(0, (track?.sections.length ?? 1) - 1)),
    file: Math.min(s.file, Math.max(0, data.sources.length - 1)),
  }
}

function write(s: State): string {
  const q = new URLSearchParams({ view: s.view })
  const start = initial()
  for (const key of numbers) if (s[key] !== start[key]) q.set(key, String(s[key]))
  if (s.columns) q.set('columns', '1')
  if (!s.panel) q.set('panel', '0')
  return `#${q}`
}

let state = parse(location.hash)
const listeners = new Set<() => void>()

export function get(): State {
  return state
}

export function set(change: Partial<State>): void {
  const next = bounded({ ...state, ...change })
  const moved = next.view !== state.view || next.stage !== state.stage || next.value !== state.value || next.track !== state.track
  state = next
  const hash = write(next)
  if (hash !== location.hash) {
    if (moved) history.pushState(null, '', hash)
    else history.replaceState(null, '', hash)
  }
  for (const l of listeners) l()
}

addEventListener('popstate', () => {
  state = parse(location.hash)
  for (const l of listeners) l()
})

export function useStore(): State {
  const [, again] = useState(0)
  useEffect(() => {
    const l = () => again((n) => n + 1)
    listeners.add(l)
    return () => void listeners.delete(l)
  }, [])
  return state
}

// select looks at a value, and at the line of the source that it comes from.
export function select(value: number, place: readonly number[] | undefined = source(state.track, state.stage, value)): void {
  const change: Partial<State> = { value, panel: true }
  if (place && place[1]! > 0) Object.assign(change, { file: place[0], line: place[1] })
  set(change)
}
