// A step on a time axis: each stream is a lane, each operator as long as its predicted time.

import { useMemo, useState } from 'preact/hooks'
import { scaleLinear } from 'd3-scale'
import type { Node } from './data'
import { data } from './model'
import { Bands, Strip, spans, useWidth, XAxis, type Range } from './axis'
import { Fact, program } from './memory'
import { Legend } from './graph'
import { select, useStore } from './store'
import { count, duration } from './text'

interface Item {
  node: Node
  layer: number
  stream: number
  from: number
  to: number
  waits: Item[]
}

// schedule lays the operators of a program out in time: each begins when its stream is free and what it waits for has
// ended.
function schedule(track: number, bucket: number): { items: Item[]; end: number } {
  const free: number[] = []
  const items: Item[] = []
  for (const p of program(track)) {
    const waits = p.waits.flatMap((w) => items[w] ?? [])
    const from = Math.max(free[p.stream] ?? 0, ...waits.map((w) => w.to))
    const to = from + (p.node.view ? 0 : (p.node.us[bucket] ?? 0))
    free[p.stream] = to
    items.push({ node: p.node, layer: p.layer, stream: p.stream, from, to, waits })
  }
  return { items, end: Math.max(0, ...free.filter((f) => f !== undefined)) }
}

export function Timeline() {
  const s = useStore()
  const t = data.tracks[s.track]!
  if (!data.buckets[s.bucket] || t.stages[0]!.us.length === 0) {
    return (
      <main class="view" id="main">
        <p class="empty">glmc has no cost model for {data.target}: there is no time to draw.</p>
      </main>
    )
  }
  return <Lanes key={`${s.track}.${s.bucket}`} />
}

function Lanes() {
  const s = useStore()
  const { items, end } = useMemo(() => schedule(s.track, s.bucket), [s.track, s.bucket])
  const streams = [...new Set(items.map((i) => i.stream))].sort((a, b) => a - b)
  const busy = new Map<string, number>()
  for (const i of items) busy.set(i.node.family, (busy.get(i.node.family) ?? 0) + i.to - i.from)
  const bucket = data.buckets[s.bucket]!
  const rate = count(Math.round((bucket.tokens * 1e6) / end))
  const share = (us: number) => `${((us / end) * 100).toFixed(1)} % of the step`
  return (
    <main class="view timeline" id="main">
      <div class="summary">
        {bucket.phase === 'decode' ? (
          <Fact label="One step, predicted" value={duration(end)} note={`${rate} tokens a second`} />
        ) : (
          <Fact label="One chunk, predicted" value={duration(end)} note={`${rate} prompt tokens a second`} />
        )}
        <Fact label="Launches" value={count(items.filter((i) => !i.node.view).length)} />
        <Fact label="Collectives" value={duration(busy.get('comm') ?? 0)} note={share(busy.get('comm') ?? 0)} />
        <Fact label="Streams" value={String(streams.length)} note={streams.length === 1 ? 'one after the other' : undefined} />
      </div>
      <LaneChart items={items} end={end} streams={streams} />
      <Shares busy={busy} end={end} />
    </main>
  )
}

interface Hover {
  i: Item
  x: number
  y: number
}

const left = 74 // the width of what stands beside a chart

function LaneChart({ items, end, streams }: { items: Item[]; end: number; streams: number[] }) {
  const s = useStore()
  const [box, width] = useWidth()
  const bands = spans(s.track, (i) => items[i]?.from ?? end)
  const [range, setRange] = useState<Range>(() => {
    const layers = bands.filter((b) => b.layer >= 0)
    // A layer before and one behind the place where the kind of layer changes shows both kinds.
    const at = Math.max(0, layers.findIndex((b) => b.section === s.section) - 1)
    return layers.length <= 3 ? [0, end] : [layers[at]!.from, layers[Math.min(layers.length - 1, at + 2)]!.to]
  })
  const [hover, setHover] = useState<Hover | null>(null)
  const lane = streams.length > 1 ? 64 : 92
  const inner = width - left - 26
  const x = scaleLinear(range, [0, inner])
  const height = streams.length * (lane + 14)
  const laneY = (stream: number) => streams.indexOf(stream) * (lane + 14) + 6
  const middle = (stream: number) => laneY(stream) + lane / 2
  // The side of a lane that faces another one: lines of what waits run from there to there.
  const edge = (stream: number, other: number) => laneY(stream) + (other > stream ? lane - 4 : 4)
  const shown = items.filter((i) => i.to > range[0] && i.from < range[1] && !i.node.view)
  return (
    <section class="card chart" aria-label="Operators over time">
      <div class="chart-head">
        <h2>One step on the time axis</h2>
        <Legend kinds={new Set(shown.map((i) => i.node.family))} />
        <button type="button" class="small" onClick={() => setRange([0, end])}>
          Whole step
        </button>
      </div>
      <div ref={box} class="chart-box">
        <svg width={width} height={height + 56} class="lanes" role="img" aria-label={`${shown.length} operators from ${duration(range[0])} to ${duration(range[1])}`}>
          <g transform={`translate(${left},26)`}>
            <Bands list={bands} x={x} y={-22} height={18} width={inner} />
            {streams.map((st) => (
              <g key={st}>
                <rect class="lane" x="0" y={laneY(st)} width={inner} height={lane} rx="4" />
                <text class="lane-name" x="-10" y={middle(st) + 4} text-anchor="end">
                  {laneName(st, items)}
                </text>
              </g>
            ))}
            {shown.map((i, k) => (
              <ItemView key={k} i={i} from={Math.max(0, x(i.from))} to={Math.min(inner, x(i.to))} top={laneY(i.stream)} lane={lane} onHover={setHover} />
            ))}
            {shown.flatMap((i, k) => i.waits.map((w, j) => <path key={`${k}.${j}`} class="wait" d={`M${x(w.to)},${edge(w.stream, i.stream)}L${x(i.from)},${edge(i.stream, w.stream)}`} />))}
            <XAxis x={x} y={height} width={inner} format={(n) => (n === 0 ? '0' : duration(n))} />
          </g>
        </svg>
        <div class="strip-box">
          <Strip width={inner} height={40} end={end} range={range} onRange={setRange} label="Time that is shown">
            {runs(items).map((r, k) => {
              const all = inner / end
              const h = 28 / streams.length
              return <rect key={k} class={`f-${r.family}`} x={r.from * all} width={Math.max(0.4, (r.to - r.from) * all)} y={6 + h * streams.indexOf(r.stream)} height={h - 1} />
            })}
          </Strip>
          <span class="strip-label">the whole step, {duration(end)}</span>
        </div>
      </div>
      {hover ? <Tip {...hover} /> : null}
    </section>
  )
}

function laneName(stream: number, items: Item[]): string {
  if (stream === 0) return 'main'
  return items.every((i) => i.stream !== stream || i.node.family === 'send') ? 'transfer' : `stream ${stream}`
}

interface ItemProps {
  i: Item
  from: number
  to: number
  top: number
  lane: number
  onHover: (h: Hover | null) => void
}

function ItemView({ i, from, to, top, lane, onHover }: ItemProps) {
  const { value } = useStore()
  const wide = to - from
  const on = i.node.out.some((r) => r.id === value)
  const hover = (e: PointerEvent) => onHover({ i, x: e.clientX, y: e.clientY })
  return (
    <g class={`piece f-${i.node.family}${on ? ' on' : ''}`}>
      <rect
        x={from}
        width={Math.max(0.6, wide - (wide > 4 ? 1 : 0))}
        y={top + 4}
        height={lane - 8}
        rx={Math.min(3, wide / 3)}
        onPointerEnter={hover}
        onPointerMove={hover}
        onPointerLeave={() => onHover(null)}
        onClick={() => select(i.node.out.find((r) => r.type !== 'state')?.id ?? i.node.out[0]?.id ?? 0, i.node.place)}
      />
      {wide > 34 ? (
        <text x={from + 6} y={top + 22}>
          {short(i.node.op, wide - 10)}
        </text>
      ) : null}
      {wide > 56 ? (
        <text class="sub" x={from + 6} y={top + 38}>
          {duration(i.to - i.from)}
        </text>
      ) : null}
    </g>
  )
}

function Tip({ i, x, y }: Hover) {
  return (
    <div class="tip" style={{ left: `${x > innerWidth - 300 ? x - 290 : x + 14}px`, top: `${Math.min(y + 14, innerHeight - 120)}px` }} role="tooltip">
      <div>
        <b>{i.node.op}</b> <span class="dim">{i.layer >= 0 ? `layer ${i.layer}` : ''}</span>
      </div>
      <div>
        {duration(i.to - i.from)} predicted, from {duration(i.from)}
      </div>
      <div class="dim break">{i.node.path}</div>
    </div>
  )
}

// Shares is the time by kind of work.
function Shares({ busy, end }: { busy: Map<string, number>; end: number }) {
  return (
    <section class="card" aria-labelledby="kinds">
      <h2 id="kinds">Where the time goes</h2>
      <ul class="shares">
        {[...busy]
          .filter(([, us]) => us > 0)
          .sort((a, b) => b[1] - a[1])
          .map(([f, us]) => (
            <li key={f} class={`f-${f}`}>
              <span class="share-name">
                <span class="dot" aria-hidden="true" />
                {names[f] ?? f}
              </span>
              <svg height="10" aria-hidden="true">
                <rect class="bar-back" width="100%" height="10" rx="3" />
                <rect class="share-fill" width={`${(100 * us) / end}%`} height="10" rx="3" />
              </svg>
              <span class="r">{duration(us)}</span>
              <span class="r dim">{((100 * us) / end).toFixed(1)} %</span>
            </li>
          ))}
      </ul>
    </section>
  )
}

const names: Record<string, string> = {
  linear: 'dense products', experts: 'experts', attention: 'attention', route: 'routing', norm: 'norms', element: 'elementwise', comm: 'collectives', send: 'transfers',
}

function short(text: string, width: number): string {
  const n = Math.floor(width / 7)
  if (text.length <= n) return text
  const tail = text.split('.').at(-1)!
  return tail.length <= n ? tail : n < 4 ? '' : `${tail.slice(0, n - 1)}…`
}

// runs joins neighbours of one colour, so that the strip has no more rectangles than it can show.
function runs(items: Item[]): { family: string; stream: number; from: number; to: number }[] {
  const out: { family: string; stream: number; from: number; to: number }[] = []
  const last = new Map<number, (typeof out)[number]>()
  for (const i of items) {
    if (i.to === i.from) continue
    const l = last.get(i.stream)
    if (l && l.family === i.node.family && l.to === i.from) l.to = i.to
    else {
      const r = { family: i.node.family, stream: i.stream, from: i.from, to: i.to }
      last.set(i.stream, r)
      out.push(r)
    }
  }
  return out
}
