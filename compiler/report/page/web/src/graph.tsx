// One layer as a drawing, before and after a pass, laid out by dagre.

import { useMemo, useState } from 'preact/hooks'
import { Graph as Layout, layout } from '@dagrejs/dagre'
import type { Node } from './data'
import { data, graph, layerOf, launches, rows, stageName, status, type Row } from './model'
import { useWidth } from './axis'
import { shortWeight } from './line'
import { select, set, useStore } from './store'
import { bytes } from './text'

interface Box {
  key: string
  x: number
  y: number
  w: number
  h: number
  node?: Node
  title: string
  lines: string[]
  values: number[]
}

interface Edge {
  points: { x: number; y: number }[]
  value: number
  label: string
  state: boolean
}

interface Drawing {
  boxes: Box[]
  edges: Edge[]
  left: number
  width: number
  height: number
}

const charWidth = 6.3
const lineHeight = 15
const margin = 16

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

function boxOf(n: Node, layer: number | undefined): Box {
  const lines: string[] = []
  const title = n.view && n.attrs ? cut(`${n.op} ${n.attrs.map(([, v]) => v).join(' ')}`, 34) : n.op
  for (const o of n.in) {
    if (!o.weight) continue
    const w = data.weights[o.weight - 1]!
    lines.push(cut(`${shortWeight(w.name, layer)}`, 34), cut(`${w.type}, ${bytes(w.bytes)}`, 34))
  }
  if (n.attrs && lines.length === 0 && !n.view) {
    const text = n.attrs.filter(([, v]) => v !== '').map(([k, v]) => `${k} ${v}`).join(', ')
    if (text) lines.push(cut(text, 34))
  }
  const longest = Math.max(title.length * (n.view ? 1.05 : 1.12), ...lines.map((l) => l.length))
  return {
    key: `n${n.id}`, x: 0, y: 0, w: Math.max(84, longest * charWidth + 26), h: n.view ? 24 : 26 + lines.length * lineHeight + (lines.length ? 4 : 0),
    node: n, title, lines, values: n.out.map((r) => r.id),
  }
}

function draw(nodes: Node[], layer: number | undefined): Drawing {
  const g = new Layout({ multigraph: true })
  g.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 30, edgesep: 14, marginx: margin, marginy: margin })
  g.setDefaultEdgeLabel(() => ({}))
  const boxes = new Map<string, Box>()
  const add = (b: Box) => {
    if (boxes.has(b.key)) return
    boxes.set(b.key, b)
    g.setNode(b.key, { width: b.w, height: b.h })
  }
  const defs = new Map<number, string>()
  for (const n of nodes) {
    add(boxOf(n, layer))
    for (const r of n.out) defs.set(r.id, `n${n.id}`)
  }
  const edges: { value: number; label: string; state: boolean; name: string; from: string; to: string; beside: boolean }[] = []
  const connect = (from: string, to: string, value: number, label: string, state: boolean) => {
    const name = `${edges.length}`
    const twin = edges.find((e) => e.from === from && e.to === to)
    edges.push({ value, label, state, name: twin ? twin.name : name, from, to, beside: twin !== undefined })
    if (twin) return
    g.setEdge(from, to, { weight: state ? 1 : 3, width: 0, height: 0 }, name)
  }
  const outer = (key: string, title: string, value: number) => add({ key, x: 0, y: 0, w: Math.max(60, title.length * charWidth + 22), h: 24, title, lines: [], values: [value] })
  for (const n of nodes) {
    const seen = new Set<number>()
    for (const o of n.in) {
      if (!o.id || o.weight || seen.has(o.id)) continue
      seen.add(o.id)
      const from = defs.get(o.id)
      if (from) connect(from, `n${n.id}`, o.id, o.type ?? '', !!o.state)
      else if (o.cache) {
        outer(`c${o.id}`, 'KV cache', o.id)
        connect(`c${o.id}`, `n${n.id}`, o.id, '', true)
      } else if (o.from) {
        outer(`f${o.id}`, o.from, o.id)
        connect(`f${o.id}`, `n${n.id}`, o.id, o.type ?? '', false)
      } // inputs of the step are read everywhere: they would only tangle the drawing
    }
    for (const r of n.out) {
      if (!r.to && !r.out) continue
      const to = r.out ? 'output' : r.to!.map((l) => (l < 0 ? 'behind' : `layer ${l}`)).join(', ')
      outer(`o${r.id}`, cut(to, 24), r.id)
      connect(`n${n.id}`, `o${r.id}`, r.id, r.type, false)
    }
  }
  layout(g)
  for (const b of boxes.values()) {
    const at = g.node(b.key) as { x: number; y: number }
    b.x = at.x
    b.y = at.y
  }
  const size = g.graph() as { width?: number; height?: number }
  const drawn = edges.map((e) => {
    const points = (g.edge(e.from, e.to, e.name) as { points: Point[] }).points
    return { value: e.value, label: e.label, state: e.state, points: ends(points, boxes.get(e.from)!, boxes.get(e.to)!, e.beside ? 16 : 0) }
  })
  // Long edges may run outside of what dagre counts, which are boxes.
  const xs = drawn.flatMap((e) => e.points.map((p) => p.x))
  const left = Math.min(0, ...xs.map((x) => x - margin))
  return {
    boxes: [...boxes.values()], edges: drawn, left, width: Math.max(size.width ?? 0, ...xs.map((x) => x + margin)) - left, height: size.height ?? 0,
  }
}

interface Point {
  x: number
  y: number
}

// ends lets an edge leave a box at its bottom and arrive at the top of the other. Of two edges between the same boxes the
// second one runs beside the first.
function ends(points: Point[], from: Box, to: Box, beside: number): Point[] {
  const inside = points.slice(1, -1).map((p) => ({ x: p.x + beside, y: p.y }))
  const clamp = (b: Box, x: number) => Math.max(b.x - b.w / 2 + 14, Math.min(b.x + b.w / 2 - 14, x))
  const towards = inside[0]?.x ?? to.x + beside
  const away = inside.at(-1)?.x ?? from.x + beside
  const first = { x: clamp(from, towards), y: from.y + from.h / 2 }
  const last = { x: clamp(to, away), y: to.y - to.h / 2 }
  return [first, ...inside, last]
}

// smooth is a path through points that leaves and arrives straight.
function smooth(p: { x: number; y: number }[]): string {
  let d = `M${p[0]!.x},${p[0]!.y}`
  for (let i = 1; i < p.length; i++) {
    const a = p[i - 1]!
    const b = p[i]!
    const mid = (a.y + b.y) / 2
    d += `C${a.x},${mid} ${b.x},${mid} ${b.x},${b.y}`
  }
  return d
}

export function GraphView() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const [chosen, setZoom] = useState(0)
  const [panes, width] = useWidth()
  const before = s.stage > 0 ? graph(s.track, s.stage - 1).nodes[s.section]! : undefined
  const after = graph(s.track, s.stage).nodes[s.section]!
  const marks = useMemo(() => status(rows(s.track, s.stage, s.section)), [s.track, s.stage, s.section])
  const same = before !== undefined && t.stages[s.stage]!.changes[s.section]!.length === 0
  const scroll = (e: Event) => {
    for (const p of panes.current?.querySelectorAll<HTMLElement>('.canvas') ?? []) {
      if (p !== e.currentTarget) p.scrollTop = (e.currentTarget as HTMLElement).scrollTop
    }
  }
  const layer = layerOf(t.sections[s.section]!)
  const widest = useMemo(() => Math.max(draw(after, layer).width, before && !same ? draw(before, layer).width : 0), [before, after, layer])
  const stacked = width < 720
  const room = before && !same && !stacked ? (width - 14) / 2 : width
  const zoom = chosen || Math.max(0.6, Math.min(1.15, (room - 24) / widest))
  const kinds = new Set([...(before ?? []), ...after].map((n) => n.family))
  return (
    <main class="view graph" id="main">
      <div class="toolbar">
        <label>
          Layer
          <select value={s.section} onChange={(e) => set({ section: Number(e.currentTarget.value) })}>
            {t.sections.map((sec, i) => (
              <option key={i} value={i}>
                {sec.label}
              </option>
            ))}
          </select>
        </label>
        <div class="seg" role="group" aria-label="Size">
          <button type="button" aria-label="Smaller" onClick={() => setZoom(Math.max(0.3, zoom - 0.1))}>
            −
          </button>
          <span class="zoom">{Math.round(zoom * 100)} %</span>
          <button type="button" aria-label="Larger" onClick={() => setZoom(Math.min(2, zoom + 0.1))}>
            +
          </button>
        </div>
        <Legend kinds={kinds} />
        {before ? (
          <ul class="legend-row">
            <li class="l-del">taken out</li>
            <li class="l-ins">put in</li>
            <li class="l-chg">changed</li>
          </ul>
        ) : null}
      </div>
      <div class={`canvases${before && !same ? ' two-panes' : ''}${stacked ? ' stacked' : ''}`} ref={panes}>
        {before && !same ? <Canvas title={`before ${stageName(s.stage)}`} nodes={before} layer={layer} marks={marks} zoom={zoom} onScroll={scroll} /> : null}
        <Canvas
          title={same ? `${stageName(s.stage)} leaves this as it is` : before ? `after ${stageName(s.stage)}` : stageName(s.stage)}
          nodes={after}
          layer={layer}
          marks={marks}
          zoom={zoom}
          onScroll={scroll}
        />
      </div>
    </main>
  )
}

const families: [string, string][] = [
  ['linear', 'product'],
  ['experts', 'experts'],
  ['attention', 'attention'],
  ['route', 'routing'],
  ['norm', 'norm'],
  ['element', 'elementwise'],
  ['comm', 'collective'],
  ['send', 'transfer'],
  ['view', 'view, free'],
]

export function Legend({ kinds }: { kinds: ReadonlySet<string> }) {
  return (
    <ul class="legend-row" aria-label="Colours">
      {families
        .filter(([f]) => kinds.has(f))
        .map(([f, name]) => (
          <li key={f} class={`f-${f}`}>
            <span class="dot" aria-hidden="true" />
            {name}
          </li>
        ))}
    </ul>
  )
}

interface CanvasProps {
  title: string
  nodes: Node[]
  layer?: number
  marks: Map<number, Row['kind']>
  zoom: number
  onScroll: (e: Event) => void
}

function Canvas({ title, nodes, layer, marks, zoom, onScroll }: CanvasProps) {
  const { value } = useStore()
  const d = useMemo(() => draw(nodes, layer), [nodes, layer])
  return (
    <figure class="drawing">
      <figcaption>
        {title} <span class="dim">{launches(nodes) === 1 ? '1 launch' : `${launches(nodes)} launches`}</span>
      </figcaption>
      <div class="canvas" tabindex={0} onScroll={onScroll} role="region" aria-label={`Drawing ${title}`}>
        {nodes.length === 0 ? <p class="empty">Nothing stands here at this stage.</p> : null}
        <svg width={d.width * zoom} height={d.height * zoom} viewBox={`${d.left} 0 ${d.width} ${d.height}`} role="group" aria-label={`${nodes.length} operators`}>
          {d.edges.map((e, i) => (
            <g key={i} class={`edge${e.state ? ' state' : ''}${e.value === value ? ' on' : ''}`} onClick={() => select(e.value)}>
              <title>{`%${e.value} ${e.label}`}</title>
              <path d={smooth(e.points)} class="hit" />
              <path d={smooth(e.points)} class="wire" />
              <Arrow points={e.points} />
            </g>
          ))}
          {d.boxes.map((b) => (
            <BoxView key={b.key} b={b} mark={b.node ? marks.get(b.node.id) : undefined} on={b.values.includes(value)} />
          ))}
        </svg>
      </div>
    </figure>
  )
}

function Arrow({ points }: { points: { x: number; y: number }[] }) {
  const p = points.at(-1)!
  return <path class="arrow" d={`M${p.x - 3.5},${p.y - 6}L${p.x},${p.y}L${p.x + 3.5},${p.y - 6}Z`} />
}

function BoxView({ b, mark, on }: { b: Box; mark?: Row['kind']; on: boolean }) {
  const pick = () => select(b.values[0] ?? 0, b.node?.place)
  return (
    <g
      class={`box f-${b.node?.family ?? 'outer'} m-${mark ?? 'same'}${on ? ' on' : ''}`}
      transform={`translate(${b.x - b.w / 2},${b.y - b.h / 2})`}
      tabindex={0}
      role="button"
      aria-label={`${b.title}${mark && mark !== 'same' && mark !== 'renamed' ? `, ${mark}` : ''}${b.lines.length ? `: ${b.lines.join(' ')}` : ''}`}
      onClick={pick}
      onKeyDown={(e) => {
        if (e.key === 'Enter' || e.key === ' ') {
          e.preventDefault()
          pick()
        }
      }}
    >
      <title>{b.node ? `${b.node.op} ${b.node.out.map((r) => `%${r.id} ${r.type}`).join(', ')}\n${b.node.path}\n${b.node.doc ?? ''}` : b.title}</title>
      <rect width={b.w} height={b.h} rx={b.node ? 6 : 12} />
      {b.node && !b.node.view ? <rect class="stripe" width="4" height={b.h - 8} x="4" y="4" rx="2" /> : null}
      <text x={b.node && !b.node.view ? 14 : b.w / 2} y={b.node?.view || !b.node ? 16 : 18} class="op" text-anchor={b.node && !b.node.view ? 'start' : 'middle'}>
        {b.title}
      </text>
      {b.lines.map((l, i) => (
        <text key={i} x="14" y={34 + i * lineHeight} class="sub">
          {l}
        </text>
      ))}
    </g>
  )
}
