// What every operator costs: predicted, and measured where there is a profile.

import { useState } from 'preact/hooks'
import type { Node } from './data'
import { data, graph, lastStage, local, trackFor } from './model'
import { Where } from './line'
import { select, set, useStore } from './store'
import { big, bytes, count, duration } from './text'

interface Row {
  key: string
  op: string
  family: string
  times: number
  us: number
  flops: number
  bytes: number
  comm: number
  measured: number
  bounds: Set<string>
  nodes: Node[]
}

export function Cost() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const timed = t.stages[0]!.us.length > 0
  const steps = data.profile?.tracks[s.track]?.steps[local(s.track, s.bucket)] ?? 0
  return (
    <main class="view cost-view" id="main">
      {data.profile ? (
        <p class="banner">
          Measured on {data.profile.device}
          {data.profile.threads ? `, ${data.profile.threads} threads` : ''}:{' '}
          {steps > 0 ? `mean of ${count(steps)} ${steps === 1 ? 'step' : 'steps'} in this bucket.` : <>no step ran in this bucket; measured are {measuredBuckets(s.track)}.</>}
        </p>
      ) : null}
      <Buckets />
      <ByOperator timed={timed} measured={steps > 0} />
      <ByLayer timed={timed} measured={steps > 0} />
    </main>
  )
}

function measuredBuckets(track: number) {
  const t = data.tracks[track]!
  const list = t.layouts.flatMap((l, i) => ((data.profile!.tracks[track]!.steps[i] ?? 0) > 0 ? [{ b: data.buckets[l.bucket]!, i: l.bucket }] : []))
  if (list.length === 0) return 'none of this program'
  return list.map(({ b, i }) => (
    <button key={i} type="button" class="link" onClick={() => set({ bucket: i })}>
      {b.phase} {b.tokens}{' '}
    </button>
  ))
}

// Buckets is the predicted time of a step by its size, before and after all passes. Each size has its program.
function Buckets() {
  const s = useStore()
  const entry = data.tracks[s.track]!.entry
  if (data.tracks[s.track]!.stages[lastStage]!.us.length === 0) return null
  return (
    <section class="card" aria-labelledby="buckets">
      <h2 id="buckets">A step by its size</h2>
      <div class="bucket-cards">
        {data.buckets.map((b, i) => {
          const track = trackFor(entry, i)
          if (local(track, i) < 0) return null
          const t = data.tracks[track]!
          const first = t.stages[0]!.us[i]!
          const last = t.stages[lastStage]!.us[i]!
          const steps = data.profile?.tracks[track]?.steps[local(track, i)] ?? 0
          return (
            <button key={i} type="button" class={`bucket${s.bucket === i ? ' on' : ''}`} aria-pressed={s.bucket === i} onClick={() => set({ bucket: i })}>
              <span class="dim">
                {b.phase} {count(b.tokens)}
              </span>
              <strong>{duration(last)}</strong>
              {data.complete && first / last >= 1.05 ? <span class="good">{(first / last).toFixed(1)} × faster</span> : null}
              <span class="dim">{count(Math.round((b.tokens * 1e6) / last))} tok/s</span>
              {steps > 0 ? <span class="measured">measured {duration(measuredStep(track, i))}</span> : null}
            </button>
          )
        })}
      </div>
    </section>
  )
}

function measuredStep(track: number, bucket: number): number {
  const t = data.tracks[track]!
  return data.profile!.tracks[track]!.us.reduce((n, rows, i) => n + t.sections[i]!.count * rows.reduce((m, r) => m + r[local(track, bucket)]!, 0), 0)
}

function rowsOf(track: number, bucket: number, section?: number): Row[] {
  const t = data.tracks[track]!
  const g = graph(track, lastStage)
  const layout = local(track, bucket)
  const byOp = new Map<string, Row>()
  g.nodes.forEach((nodes, sec) => {
    if (section !== undefined && sec !== section) return
    nodes.forEach((node, i) => {
      if (node.view) return
      const key = section === undefined ? node.op : String(node.id)
      const times = section === undefined ? t.sections[sec]!.count : 1
      let r = byOp.get(key)
      if (!r) byOp.set(key, (r = { key, op: node.op, family: node.family, times: 0, us: 0, flops: 0, bytes: 0, comm: 0, measured: 0, bounds: new Set(), nodes: [] }))
      const w = t.work[sec]![i]![layout]
      r.times += times
      r.us += times * (node.us[bucket] ?? 0)
      r.flops += times * (w?.f ?? 0)
      r.bytes += times * (w?.b ?? 0)
      r.comm += times * (w?.c ?? 0)
      r.measured += times * (data.profile?.tracks[track]?.us[sec]?.[i]?.[layout] ?? 0)
      if (w?.by) r.bounds.add(w.by)
      r.nodes.push(node)
    })
  })
  return [...byOp.values()]
}

type Sort = 'order' | 'us' | 'measured' | 'times' | 'flops' | 'bytes'

function ByOperator({ timed, measured }: { timed: boolean; measured: boolean }) {
  const s = useStore()
  const [sort, setSort] = useState<Sort>(timed ? 'us' : 'bytes')
  const rows = rowsOf(s.track, s.bucket)
  if (sort !== 'order') rows.sort((a, b) => b[sort] - a[sort])
  return (
    <section class="card" aria-labelledby="byop">
      <h2 id="byop">By operator, the whole step</h2>
      <Table rows={rows} timed={timed} measured={measured} sort={sort} onSort={setSort} label="byop" />
    </section>
  )
}

function ByLayer({ timed, measured }: { timed: boolean; measured: boolean }) {
  const s = useStore()
  const t = data.tracks[s.track]!
  const [sort, setSort] = useState<Sort>('order')
  const rows = rowsOf(s.track, s.bucket, s.section)
  if (sort !== 'order') rows.sort((a, b) => b[sort] - a[sort])
  return (
    <section class="card" aria-labelledby="bylayer">
      <div class="chart-head">
        <h2 id="bylayer">One layer, operator by operator</h2>
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
      </div>
      <Table rows={rows} timed={timed} measured={measured} sort={sort} onSort={setSort} label="bylayer" each />
    </section>
  )
}

interface TableProps {
  rows: Row[]
  timed: boolean
  measured: boolean
  sort: Sort
  onSort: (s: Sort) => void
  label: string
  each?: boolean
}

function Table({ rows, timed, measured, sort, onSort, label, each }: TableProps) {
  const s = useStore()
  const most = Math.max(...rows.map((r) => Math.max(r.us, r.measured)), 1e-9)
  const sum = rows.reduce((n, r) => n + r.us, 0)
  const head = (key: Sort, text: string) => (
    <th scope="col" class="r" aria-sort={sort === key ? 'descending' : undefined}>
      <button type="button" class="sort" onClick={() => onSort(sort === key && each ? 'order' : key)}>
        {text}
        {sort === key ? ' ↓' : ''}
      </button>
    </th>
  )
  return (
    <div class="scroll-x" tabindex={0} role="region" aria-labelledby={label}>
    <table class="plain costs">
      <thead>
        <tr>
          <th scope="col">Operator</th>
          {each ? <th scope="col">Result</th> : head('times', 'Launches')}
          {timed ? (
            <>
              {head('us', 'Predicted')}
              {measured ? head('measured', 'Measured') : null}
              <th scope="col" class="wide">
                {measured ? 'Predicted, measured' : 'Share'}
              </th>
            </>
          ) : null}
          {timed ? <th scope="col">Bound by</th> : null}
          {head('flops', 'Operations')}
          {head('bytes', 'Bytes')}
        </tr>
      </thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.key} class={r.nodes.some((n) => n.out.some((x) => x.id === s.value)) ? 'on' : undefined}>
            <th scope="row" class={`f-${r.family}`}>
              <span class="dot" aria-hidden="true" />
              {r.op}
            </th>
            {each ? (
              <td>
                {r.nodes[0]!.out.filter((x) => x.type !== 'state').map((x) => (
                  <button key={x.id} type="button" class={`value${x.id === s.value ? ' on' : ''}`} onClick={() => select(x.id, r.nodes[0]!.place)}>
                    %{x.id}
                  </button>
                ))}{' '}
                <Where place={r.nodes[0]!.place} />
              </td>
            ) : (
              <td class="r">{count(r.times)}</td>
            )}
            {timed ? (
              <>
                <td class="r">{duration(r.us)}</td>
                {measured ? (
                  <td class="r">
                    {r.measured > 0 ? duration(r.measured) : '–'}
                    {r.measured > 0 && r.us > 0 ? <span class="dim"> {(r.measured / r.us).toFixed(1)} ×</span> : null}
                  </td>
                ) : null}
                <td class="wide">
                  <span class={`bars f-${r.family}`}>
                    <svg height={measured ? 14 : 10} aria-hidden="true">
                      <rect class="share-fill" width={`${(100 * r.us) / most}%`} height={measured ? 6 : 10} rx="2" />
                      {measured ? <rect class="measured-fill" y="8" width={`${(100 * r.measured) / most}%`} height="6" rx="2" /> : null}
                    </svg>
                    <span class="dim r">{((100 * r.us) / sum).toFixed(1)} %</span>
                  </span>
                </td>
              </>
            ) : null}
            {timed ? <td class="dim">{[...r.bounds].join(', ')}</td> : null}
            <td class="r">{r.flops > 0 ? big(r.flops) : '–'}</td>
            <td class="r">{bytes(Math.round(r.bytes))}</td>
          </tr>
        ))}
      </tbody>
    </table>
    </div>
  )
}
