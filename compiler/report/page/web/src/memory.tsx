// The arena over the steps of a program: which bytes hold which value, and when.

import { useMemo, useState } from 'preact/hooks'
import { scaleLinear } from 'd3-scale'
import type { Buffer, Node } from './data'
import { data, graph, lastStage, local } from './model'
import { Bands, binaryTicks, Strip, useWidth, spans, XAxis, type Range } from './axis'
import { Legend } from './graph'
import { select, useStore } from './store'
import { bytes, count, plural } from './text'

// Operator is an operator of the program as it runs.
export interface Operator {
  node: Node
  section: number
  layer: number
  stream: number
  waits: number[]
}

// program lists a track's operators in the order of execution.
export function program(track: number): Operator[] {
  const g = graph(track, lastStage)
  return data.tracks[track]!.program.map((p) => ({ node: g.nodes[p.s]![p.i]!, section: p.s, layer: p.l, stream: p.t ?? 0, waits: p.w ?? [] }))
}

interface Piece {
  b: Buffer
  size: number
  offset: number
  end: number // the step from which on its bytes are another's
  value: number // as the section calls it
  node: Node
  layer: number
}

export function Memory() {
  const s = useStore()
  const t = data.tracks[s.track]!
  if (!t.layouts[local(s.track, s.bucket)]) return <main class="view" id="main"><p class="empty">The plan has no layouts.</p></main>
  return <Arena key={s.track} />
}

function Arena() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const layout = local(s.track, s.bucket)
  const bucket = t.layouts[layout]!
  const prog = useMemo(() => program(s.track), [s.track])
  const pieces = useMemo(() => piecesOf(s.track, layout, prog), [s.track, layout])
  const live = useMemo(() => liveBytes(pieces, layout, prog.length), [pieces])
  const peak = live.indexOf(Math.max(...live))
  return (
    <main class="view memory" id="main">
      <div class="summary">
        <Fact label="Arena" value={bytes(bucket.arena)} />
        <Fact
          label="Alive at once, at most"
          value={bytes(bucket.bound)}
          note={bucket.arena === bucket.bound ? 'the arena is at this bound' : `the arena is ${((100 * bucket.arena) / bucket.bound - 100).toFixed(1)} % above`}
        />
        <Fact label="Without sharing" value={bytes(pieces.reduce((n, p) => n + p.size, 0))} note={plural(pieces.length, 'buffer')} />
        <Fact label="Fullest at step" value={count(peak)} note={prog[peak]?.node.op} />
      </div>
      <ArenaChart pieces={pieces} live={live} peak={peak} arena={bucket.arena} bound={bucket.bound} />
      <Fullest pieces={pieces.filter((p) => p.b.a <= peak && p.b.z >= peak)} />
    </main>
  )
}

interface Hover {
  p: Piece
  x: number
  y: number
}

const left = 74 // the width of what stands beside a chart
const height = 400

function ArenaChart({ pieces, live, peak, arena, bound }: { pieces: Piece[]; live: number[]; peak: number; arena: number; bound: number }) {
  const s = useStore()
  const steps = live.length
  const [box, width] = useWidth()
  const [range, setRange] = useState<Range>(() => start(s.track, steps))
  const [whole, setWhole] = useState(false)
  const [hover, setHover] = useState<Hover | null>(null)
  const inner = width - left - 26
  const x = scaleLinear(range, [0, inner])
  const shown = pieces.filter((p) => p.b.z + 1 > range[0] && p.b.a < range[1])
  // The window is as high as what it shows: outside of the logits, a step fills a small part of the arena.
  const highest = whole ? arena : Math.max(...shown.map((p) => p.offset + p.size), 64)
  const y = scaleLinear([0, highest * 1.04], [height, 0])
  const stripY = scaleLinear([0, Math.max(...live, 1)], [54, 4])
  const area = `M0,54${live.map((n, i) => `L${((i * inner) / steps).toFixed(1)},${stripY(n).toFixed(1)}`).join('')}L${inner},54Z`
  return (
    <section class="card chart" aria-label="Arena over time">
      <div class="chart-head">
        <h2>Arena by step</h2>
        <Legend kinds={new Set(shown.map((p) => p.node.family))} />
        <button type="button" class="small" aria-pressed={whole} onClick={() => setWhole(!whole)}>
          Whole arena
        </button>
        <button type="button" class="small" onClick={() => setRange([0, steps])}>
          Whole step
        </button>
        <button type="button" class="small" onClick={() => setRange(around(peak, steps))}>
          Fullest place
        </button>
      </div>
      <div ref={box} class="chart-box">
        <svg
          width={width}
          height={height + 52}
          class="arena"
          role="img"
          aria-label={`Arena of ${bytes(arena)}: ${shown.length} buffers in steps ${Math.round(range[0])} to ${Math.round(range[1])}`}
        >
          <g transform={`translate(${left},26)`}>
            <Bands list={spans(s.track, (i) => i)} x={x} y={-22} height={18} width={inner} />
            {binaryTicks(highest).map((v) => (
              <g key={v} class="grid" transform={`translate(0,${y(v)})`}>
                <line x2={inner} />
                <text x="-8" dy="4" text-anchor="end">
                  {bytes(v)}
                </text>
              </g>
            ))}
            {shown.map((p) => (
              <PieceView key={`${p.b.v}:${p.b.a}`} p={p} from={Math.max(0, x(p.b.a))} to={Math.min(inner, x(p.end))} top={y(p.offset + p.size)} bottom={y(p.offset)} onHover={setHover} />
            ))}
            {bound <= highest ? <line class="bound" x2={inner} y1={y(bound)} y2={y(bound)} /> : null}
            <XAxis x={x} y={height} width={inner} format={(n) => (Number.isInteger(n) ? String(n) : '')} />
          </g>
        </svg>
        <div class="strip-box">
          <Strip width={inner} height={58} end={steps} range={range} onRange={setRange} label="Steps that are shown">
            <path class="live" d={area} />
          </Strip>
          <span class="strip-label">bytes alive, all {count(steps)} steps</span>
        </div>
      </div>
      {hover ? <Tip {...hover} /> : null}
    </section>
  )
}

interface PieceProps {
  p: Piece
  from: number
  to: number
  top: number
  bottom: number
  onHover: (h: Hover | null) => void
}

function PieceView({ p, from, to, top, bottom, onHover }: PieceProps) {
  const { value } = useStore()
  const h = Math.max(0.75, bottom - top)
  const gap = to - from > 4 ? 1 : 0
  const width = Math.max(0.5, to - from - gap)
  const hover = (e: PointerEvent) => onHover({ p, x: e.clientX, y: e.clientY })
  return (
    <g class={`piece f-${p.node.family}${p.value === value ? ' on' : ''}`}>
      <rect
        x={from + gap / 2}
        y={top + (h > 4 ? 0.5 : 0)}
        width={width}
        height={h > 4 ? h - 1 : h}
        rx={Math.min(3, h / 3, width / 3)}
        onPointerEnter={hover}
        onPointerMove={hover}
        onPointerLeave={() => onHover(null)}
        onClick={() => select(p.value, p.node.place)}
      />
      {to - from > 52 && h > 15 ? (
        <text x={from + 6} y={top + Math.min(h / 2 + 4, 18)}>
          {fit(p.node.op, to - from - 10)}
        </text>
      ) : null}
    </g>
  )
}

// Fullest lists what is alive where the arena is fullest.
function Fullest({ pieces }: { pieces: Piece[] }) {
  const { value } = useStore()
  const most = 12
  return (
    <section class="card" aria-labelledby="peak">
      <h2 id="peak">Alive at the fullest step</h2>
      <div class="scroll-x" tabindex={0} role="region" aria-labelledby="peak">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Made by</th>
              <th scope="col">For</th>
              <th scope="col" class="r">
                Bytes
              </th>
              <th scope="col" class="r">
                Offset
              </th>
              <th scope="col" class="r">
                Steps
              </th>
            </tr>
          </thead>
          <tbody>
            {[...pieces]
              .sort((a, b) => b.size - a.size)
              .slice(0, most)
              .map((p) => (
                <tr key={p.b.v}>
                  <td>
                    <button type="button" class={`value${p.value === value ? ' on' : ''}`} onClick={() => select(p.value, p.node.place)}>
                      %{p.b.v}
                    </button>{' '}
                    <code>{p.node.out.find((r) => r.id === p.value)?.type}</code>
                  </td>
                  <td>{p.node.op}</td>
                  <td class="dim">{p.layer >= 0 ? `layer ${p.layer}` : ''}</td>
                  <td class="r">{bytes(p.size)}</td>
                  <td class="r">{bytes(p.offset)}</td>
                  <td class="r">
                    {p.b.a}–{p.b.z}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
      {pieces.length > most ? <p class="dim">and {plural(pieces.length - most, 'smaller buffer')}</p> : null}
    </section>
  )
}

export function Fact({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div class="fact">
      <span class="fact-label">{label}</span>
      <strong>{value}</strong>
      {note ? <span class="dim">{note}</span> : null}
    </div>
  )
}

function fit(text: string, width: number): string {
  const n = Math.floor(width / 7)
  return text.length <= n ? text : n < 4 ? '' : `${text.slice(0, n - 1)}…`
}

// The window that the view opens with: a few layers where each of them can be seen.
export function start(track: number, steps: number): Range {
  const all = spans(track, (i) => i)
  const layers = all.filter((b) => b.layer >= 0)
  if (layers.length <= 4) return [0, steps]
  return [0, Math.min(steps, layers[4]!.to)]
}

function around(step: number, steps: number): Range {
  const half = Math.min(30, steps / 2)
  const from = Math.max(0, Math.min(steps - 2 * half, step - half))
  return [from, from + 2 * half]
}

function piecesOf(track: number, layout: number, prog: { node: Node; layer: number }[]): Piece[] {
  const t = data.tracks[track]!
  // What is written in place begins at the step that reads its operand last: there the operand ends a step earlier.
  const over = new Set(t.buffers.flatMap((b) => (b.p?.includes(layout) ? [`${b.o[layout]}:${b.a}`] : [])))
  return t.buffers.flatMap((b) => {
    const p = prog[b.a]
    if (!p) return []
    // A layer that another one is shown for has other numbers for the same results.
    const value = p.node.out[b.r ?? 0]?.id ?? 0
    return [{ b, size: t.sizes[b.k]![layout]!, offset: b.o[layout]!, end: over.has(`${b.o[layout]}:${b.z}`) ? b.z : b.z + 1, value, node: p.node, layer: p.layer }]
  })
}

// liveBytes is what is alive at each step. What takes over an operand's bytes has them with it at that step.
function liveBytes(pieces: Piece[], layout: number, steps: number): number[] {
  const change = new Array<number>(steps + 2).fill(0)
  for (const p of pieces) {
    const size = Math.ceil(p.size / 64) * 64
    change[p.b.p?.includes(layout) ? p.b.a + 1 : p.b.a]! += size
    change[Math.min(p.b.z, steps) + 1]! -= size
  }
  let n = 0
  return change.slice(0, steps).map((c) => (n += c))
}

function Tip({ p, x, y }: Hover) {
  const s = useStore()
  const flip = x > innerWidth - 300
  return (
    <div class="tip" style={{ left: `${flip ? x - 290 : x + 14}px`, top: `${Math.min(y + 14, innerHeight - 130)}px` }} role="tooltip">
      <div>
        <b>{p.node.op}</b> <span class="dim">%{p.b.v}</span>
      </div>
      <div>
        <code>{p.node.out.find((r) => r.id === p.value)?.type}</code>
      </div>
      <div class="dim">
        {p.layer >= 0 ? `layer ${p.layer}, ` : ''}
        {bytes(p.size)} at {bytes(p.offset)}, steps {p.b.a} to {p.b.z}
      </div>
      {p.b.p?.includes(local(s.track, s.bucket)) ? <div class="dim">in the bytes of an operand</div> : null}
      <div class="dim break">{p.node.path}</div>
    </div>
  )
}
