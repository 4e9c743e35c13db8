// What the memory and the time view share: a strip of everything with a window on it, axes, and the layers.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChildren, RefObject } from 'preact'
import { brushX, type D3BrushEvent } from 'd3-brush'
import { scaleLinear } from 'd3-scale'
import { select as d3select } from 'd3-selection'
import { data } from './model'

export type Range = [number, number]

// useWidth is the width of an element, as it changes.
export function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(900)
  useEffect(() => {
    if (!ref.current) return
    const o = new ResizeObserver((entries) => setWidth(Math.max(320, Math.floor(entries[0]!.contentRect.width))))
    o.observe(ref.current)
    return () => o.disconnect()
  }, [])
  return [ref, width]
}

interface StripProps {
  width: number
  height: number
  end: number
  range: Range
  onRange: (r: Range) => void
  label: string
  children: ComponentChildren
}

// Strip shows all steps small, with the window that is shown large: drag it, draw another, or use the arrow keys.
export function Strip({ width, height, end, range, onRange, label, children }: StripProps) {
  const g = useRef<SVGGElement>(null)
  const moving = useRef(false)
  useEffect(() => {
    const x = scaleLinear([0, end], [0, width])
    const brush = brushX<unknown>()
      .extent([
        [0, 0],
        [width, height],
      ])
      .on('brush end', (e: D3BrushEvent<unknown>) => {
        if (!e.sourceEvent) return
        const s = e.selection as Range | null
        moving.current = true
        if (!s) onRange([0, end])
        else onRange([x.invert(s[0]), Math.max(x.invert(s[1]), x.invert(s[0]) + end / 2000)])
        moving.current = false
      })
    const sel = d3select(g.current!)
    brush(sel)
    brush.move(sel, [x(range[0]), x(range[1])])
    return () => void sel.on('.brush', null)
  }, [width, height, end, range[0], range[1]])
  return (
    <svg
      class="strip-chart"
      width={width}
      height={height}
      tabindex={0}
      role="slider"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.round(end)}
      aria-valuenow={Math.round(range[0])}
      aria-valuetext={`${Math.round(range[0])} to ${Math.round(range[1])} of ${Math.round(end)}`}
      onKeyDown={(e) => {
        const w = range[1] - range[0]
        const shift = (d: number) => {
          const from = Math.max(0, Math.min(end - w, range[0] + d))
          onRange([from, from + w])
        }
        const grow = (f: number) => {
          const mid = (range[0] + range[1]) / 2
          const half = Math.min(end, Math.max(end / 2000, w * f)) / 2
          const from = Math.max(0, Math.min(end - 2 * half, mid - half))
          onRange([from, from + 2 * half])
        }
        const act: Record<string, () => void> = {
          ArrowLeft: () => shift(-w / 4), ArrowRight: () => shift(w / 4), Home: () => shift(-end), End: () => shift(end),
          '+': () => grow(0.5), '=': () => grow(0.5), '-': () => grow(2), '0': () => onRange([0, end]),
        }
        if (act[e.key]) {
          e.preventDefault()
          act[e.key]!()
        }
      }}
    >
      {children}
      <g ref={g} class="brush" />
    </svg>
  )
}

// binaryTicks are round numbers of bytes: a few powers of two and their halves up to a size.
export function binaryTicks(most: number): number[] {
  let step = 2 ** Math.ceil(Math.log2(Math.max(64, most / 6)))
  if (most / step < 3) step /= 2
  const out: number[] = []
  for (let v = 0; v <= most; v += step) out.push(v)
  return out
}

export interface Span {
  from: number
  to: number
  layer: number
  section: number
}

// spans are the stretches of the program that belong to one layer; `at` gives the place where an operator begins.
export function spans(track: number, at: (i: number) => number): Span[] {
  const out: Span[] = []
  data.tracks[track]!.program.forEach((p, i) => {
    const last = out.at(-1)
    if (last && last.layer === p.l) last.to = at(i + 1)
    else if (p.l < 0 || !out.some((x) => x.layer === p.l)) out.push({ from: at(i), to: at(i + 1), layer: p.l, section: p.s })
  })
  return out
}

export function layerText(layer: number): string {
  return layer < 0 ? '' : String(layer)
}

// Bands are the layers above a chart.
export function Bands({ list, x, y, height, width }: { list: Span[]; x: (n: number) => number; y: number; height: number; width: number }) {
  return (
    <g class="bands">
      {list.map((b, i) => {
        const from = Math.max(0, x(b.from))
        const to = Math.min(width, x(b.to))
        if (to <= 0 || from >= width || to - from < 0.5) return null
        const wide = to - from
        const text = wide > 60 && b.layer >= 0 ? `layer ${b.layer}` : layerText(b.layer)
        return (
          <g key={i}>
            <rect x={from} width={wide} y={y} height={height} class={i % 2 ? 'odd' : 'even'} />
            {wide > text.length * 7 + 6 ? (
              <text x={(from + to) / 2} y={y + 13} text-anchor="middle">
                {text}
              </text>
            ) : null}
          </g>
        )
      })}
    </g>
  )
}

export function XAxis({ x, y, format, width }: { x: { ticks(n: number): number[] } & ((n: number) => number); y: number; format: (n: number) => string; width: number }) {
  return (
    <g class="axis">
      {x.ticks(Math.max(2, Math.floor(width / 110))).map((t) => (
        <g key={t} transform={`translate(${x(t)},${y})`}>
          <line y2="5" />
          <text y="17" text-anchor="middle">
            {format(t)}
          </text>
        </g>
      ))}
    </g>
  )
}

