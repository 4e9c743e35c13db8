// The passes: a rail with all of them, and what one did, as text side by side or with a column for each pass.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Node, Pass, Remark } from './data'
import { changed, concerns, data, differs as rowDiffers, graph, launches, layerOf, micros, rows as rowsOf, stageName, stageOf, type Row } from './model'
import { Line, Where } from './line'
import { set, useStore } from './store'
import { change, count, duration, plural } from './text'

// Rail lists the stages from top to bottom. Passes that changed nothing of the track are folded to a thin row.
export function Rail() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const most = Math.max(...t.stages.map((x) => x.launches))
  return (
    <nav class="rail" aria-label="Passes">
      <h2>Passes</h2>
      <ol>
        {!data.complete ? null : (
          <li>
            <button type="button" class={`pass${s.stage === 0 ? ' on' : ''}`} aria-current={s.stage === 0} onClick={() => set({ stage: 0 })}>
              <span class="name">as lowered</span>
              <span class="bar" aria-hidden="true">
                <Bar share={t.stages[0]!.launches / most} />
              </span>
              <span class="num">{count(t.stages[0]!.launches)}</span>
            </button>
          </li>
        )}
        {data.passes.map((p, i) => {
          const stage = data.complete ? stageOf(i) : -1
          const quiet = stage < 0 || !changed(s.track, stage)
          const at = stage < 0 ? undefined : t.stages[stage]
          const before = stage > 0 ? t.stages[stage - 1] : undefined
          const on = data.complete ? stage >= 0 && s.stage === stage : s.pass === i
          return (
            <li key={p.name}>
              <button
                type="button"
                class={`pass${on ? ' on' : ''}${quiet ? ' quiet' : ''}`}
                aria-current={on}
                disabled={data.complete && stage < 0}
                title={p.doc}
                onClick={() => set(data.complete ? { stage } : { pass: i })}
              >
                <span class="name">{p.name}</span>
                {quiet ? (
                  <span class="note">{p.disabled ? 'disabled' : p.applied + p.missed > 0 ? sites(p.applied, p.missed) : data.complete ? 'no change' : 'no sites'}</span>
                ) : (
                  <>
                    <span class="bar" aria-hidden="true">
                      <Bar share={at!.launches / most} before={before ? before.launches / most : undefined} />
                    </span>
                    <span class="num">{count(at!.launches)}</span>
                    <span class="sites">
                      {count(p.applied)} applied{p.missed ? <em> · {count(p.missed)} missed</em> : null}
                    </span>
                    {before && before.launches !== at!.launches ? (
                      <span class={`delta ${at!.launches < before.launches ? 'good' : 'more'}`}>
                        {at!.launches < before.launches ? '−' : '+'}
                        {count(Math.abs(at!.launches - before.launches))}
                      </span>
                    ) : null}
                  </>
                )}
              </button>
            </li>
          )
        })}
      </ol>
      {data.complete ? <p class="legend">Bars and numbers: kernel launches of one step behind each pass.</p> : null}
    </nav>
  )
}

// sites counts what a pass did, in few words.
function sites(applied: number, missed: number): string {
  if (missed === 0) return `${count(applied)} applied`
  return applied === 0 ? `${count(missed)} missed` : `${count(applied)} applied, ${count(missed)} missed`
}

function Bar({ share, before }: { share: number; before?: number }) {
  return (
    <svg width="100%" height="6" preserveAspectRatio="none">
      <rect class="bar-back" width="100%" height="6" rx="3" />
      {before !== undefined && before > share ? <rect class="bar-cut" width={`${100 * before}%`} height="6" rx="3" /> : null}
      <rect class="bar-fill" width={`${100 * share}%`} height="6" rx="3" />
    </svg>
  )
}

export function Passes() {
  const s = useStore()
  return (
    <main class="view passes" id="main">
      <PassHead />
      {s.columns && data.complete ? <Columns /> : <Sides />}
    </main>
  )
}

function PassHead() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const at = t.stages[s.stage]!
  const before = s.stage > 0 ? t.stages[s.stage - 1]! : undefined
  const p = data.passes[data.complete ? data.stages[s.stage]! : s.pass]
  return (
    <header class="pass-head">
      <div class="pass-title">
        <h1>{p?.name ?? 'as lowered'}</h1>
        {p ? <span class={`badge n-${p.numeric.replaceAll(' ', '-')}`}>{p.numeric}</span> : null}
        {data.complete ? (
        <div class="seg" role="group" aria-label="Layout">
          <button type="button" aria-pressed={!s.columns} onClick={() => set({ columns: false })}>
            Side by side
          </button>
          <button type="button" aria-pressed={s.columns} onClick={() => set({ columns: true })}>
            All columns
          </button>
        </div>
        ) : null}
      </div>
      <p class="doc">{p ? sentence(p.doc) : 'The graph as the model is written, before any pass.'}</p>
      <ul class="chips">
        {p ? (
          <>
            <li class="ok">{plural(p.applied, 'site')} applied</li>
            {p.missed ? <li class="miss">{count(p.missed)} missed</li> : null}
            {p.proof ? <Proof proof={p.proof} /> : null}
          </>
        ) : null}
        <li>
          {data.complete ? null : 'in the end: '}
          {before ? `${count(before.launches)} → ` : ''}
          {plural(at.launches, 'launch').replace(/launchs$/, 'launches')}
          {before && before.launches !== at.launches ? <b> {change(before.launches, at.launches)}</b> : null}
        </li>
        {at.us.length > 0 ? (
          <li>
            {before ? `${duration(before.us[s.bucket]!)} → ` : ''}
            {duration(at.us[s.bucket]!)} predicted
            {before && before.us[s.bucket] !== at.us[s.bucket] ? <b> {change(before.us[s.bucket]!, at.us[s.bucket]!)}</b> : null}
          </li>
        ) : null}
      </ul>
      {p && p.after.length > 0 ? (
        <details class="order">
          <summary>Why at this place</summary>
          <ul>
            {p.after.map((o, i) => (
              <li key={i}>
                after <b>{o.pass}</b>: {o.why}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      {p ? <Remarks remarks={p.remarks.filter((r) => concerns(r, t))} /> : null}
    </header>
  )
}

// Proof is what running both sides of a pass on random inputs said of it.
function Proof({ proof }: { proof: NonNullable<Pass['proof']> }) {
  if (proof.status !== 'proven') return <li>{proof.status === 'idle' ? 'validated: it changed nothing' : `not validated: ${proof.status}`}</li>
  const error = proof.maxError === 0 ? 'to the bit' : `to ${proof.maxError.toPrecision(2)} of ${proof.bound.toPrecision(2)} allowed`
  return (
    <li class="ok" title="The graph before and behind the pass, run on the reference kernels with random weights and inputs">
      validated: {plural(proof.cases, 'result')} equal {error}
    </li>
  )
}

function sentence(text: string): string {
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')
}

export function Remarks({ remarks }: { remarks: Remark[] }) {
  const [all, setAll] = useState(false)
  if (remarks.length === 0) return null
  const most = 3
  const shown = all ? remarks : remarks.slice(0, most)
  return (
    <div class="remarks">
      <ul>
        {shown.map((r, i) => (
          <RemarkRow key={i} r={r} />
        ))}
      </ul>
      {remarks.length > most ? (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? 'Show less' : `Show all ${remarks.length} remarks`}
        </button>
      ) : null}
    </div>
  )
}

export function RemarkRow({ r, pass }: { r: Remark; pass?: string }) {
  return (
    <li class={r.applied ? 'remark applied' : 'remark missed'}>
      <span class="state">{r.applied ? 'applied' : 'missed'}</span>
      <span class="text">
        <span class="reason">{r.reason}</span>
        <span class="meta">
          {pass ? <b>{pass}</b> : null}
          <code>{r.id}</code>
          <RemarkWhere r={r} />
          {r.buckets ? <span>{r.buckets}</span> : null}
          <Where place={r.place} />
          {r.saves ? <span class="saves">saves {r.saves}</span> : null}
        </span>
      </span>
    </li>
  )
}

// RemarkWhere names the layers of a remark, and leads to them.
function RemarkWhere({ r }: { r: Remark }) {
  const s = useStore()
  const sections = data.tracks[s.track]!.sections
  const at = sections.findIndex((x) => x.layers.some((l) => r.layers.includes(l)))
  if (!r.where || at < 0) return <span>{r.where || r.entry}</span>
  return (
    <button type="button" class="link" title="Open these layers" onClick={() => set({ section: at })}>
      {r.where}
    </button>
  )
}

// Sides is the graph before and after the pass, section by section.
function Sides() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const after = graph(s.track, s.stage)
  const before = s.stage > 0 ? graph(s.track, s.stage - 1) : undefined
  // What is open at first: the layers that were chosen, or else the first ones that differ.
  const differ = t.stages[s.stage]!.changes.map((c) => c.length > 0)
  const first = differ[s.section] || !differ.includes(true) ? s.section : differ.indexOf(true)
  return (
    <div class="sides">
      <div class="sides-head" aria-hidden="true">
        {before ? <span>{stageName(s.stage - 1)}</span> : null}
        <span>{data.complete ? stageName(s.stage) : 'the final graph'}</span>
      </div>
      {t.sections.map((sec, i) => (
        <SideSection key={`${s.track}.${s.stage}.${i}`} section={i} label={sec.label} before={before?.nodes[i]} after={after.nodes[i]!} first={i === first} />
      ))}
    </div>
  )
}

function SideSection({ section, label, before, after, first }: { section: number; label: string; before?: Node[]; after: Node[]; first: boolean }) {
  const s = useStore()
  const t = data.tracks[s.track]!
  const layer = layerOf(t.sections[section]!)
  const rows = rowsOf(s.track, s.stage, section)
  const differs = rows.some((r) => r.kind !== 'same')
  const holds = s.value !== 0 && [...(before ?? []), ...after].some((n) => n.out.some((r) => r.id === s.value) || n.in.some((o) => o.id === s.value))
  const [open, setOpen] = useState<boolean | undefined>(undefined)
  const shown = open ?? (first || holds)
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    if (s.section === section && section > 0 && s.value !== 0) {
      box.current?.querySelector('.value.on')?.scrollIntoView({ block: 'nearest' })
    }
  }, [s.value, s.section])
  const a = before ? launches(before) : undefined
  const b = launches(after)
  return (
    <section class={`side-section${differs ? ' differs' : ''}`} ref={box} aria-label={label}>
      <h2>
        <button type="button" aria-expanded={shown} onClick={() => setOpen(!shown)}>
          <span class="twist" aria-hidden="true">
            {shown ? '▾' : '▸'}
          </span>
          {label}
          <span class="tail">
            {a !== undefined && a !== b ? (
              <span>
                {a} → <b>{b}</b> launches
              </span>
            ) : (
              <span>{b === 1 ? '1 launch' : `${b} launches`}</span>
            )}
            {before && after[0]?.us.length ? <Micros a={micros(before, s.bucket)} b={micros(after, s.bucket)} /> : null}
            {before ? <em>{differs ? (rows.filter(rowDiffers).length === 1 ? '1 change' : `${rows.filter(rowDiffers).length} changes`) : 'unchanged'}</em> : null}
          </span>
        </button>
      </h2>
      {shown ? <Rows rows={rows} layer={layer} alone={!before} /> : null}
    </section>
  )
}

function Micros({ a, b }: { a: number; b: number }) {
  if (Math.abs(a - b) < 0.005) return <span>{duration(b)}</span>
  return (
    <span>
      {duration(a)} → <b>{duration(b)}</b>
    </span>
  )
}

// Rows writes the rows of a diff; longer runs of what is the same are folded.
function Rows({ rows, layer, alone }: { rows: Row[]; layer?: number; alone: boolean }) {
  const s = useStore()
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const out = []
  for (let i = 0; i < rows.length; ) {
    let j = i
    while (j < rows.length && !rowDiffers(rows[j]!)) j++
    const touches = (r: Row) => s.value !== 0 && (r.b ?? r.a)!.out.concat((r.b ?? r.a)!.in.filter((o) => o.id).map((o) => ({ id: o.id!, type: '' }))).some((x) => x.id === s.value)
    const context = 1
    const from = i === 0 ? i : i + context
    const to = j === rows.length ? j : j - context
    if (!alone && to - from > 2 && !open.has(i) && !rows.slice(from, to).some(touches)) {
      for (let k = i; k < from; k++) out.push(<RowPair key={k} row={rows[k]!} layer={layer} alone={alone} />)
      const at = i
      out.push(
        <button key={`f${i}`} type="button" class="fold" onClick={() => setOpen(new Set([...open, at]))}>
          {to - from} operators as they were
        </button>,
      )
      for (let k = to; k < j; k++) out.push(<RowPair key={k} row={rows[k]!} layer={layer} alone={alone} />)
    } else {
      for (let k = i; k < j; k++) out.push(<RowPair key={k} row={rows[k]!} layer={layer} alone={alone} />)
    }
    for (i = j; i < rows.length && rowDiffers(rows[i]!); i++) out.push(<RowPair key={i} row={rows[i]!} layer={layer} alone={alone} />)
  }
  return <div class={`rows${alone ? ' alone' : ''}`}>{out}</div>
}

function RowPair({ row, layer, alone }: { row: Row; layer?: number; alone: boolean }) {
  const { bucket } = useStore()
  const a = row.a
  const b = row.b
  const pair = row.kind === 'changed' || row.kind === 'renamed'
  const tint = row.kind === 'changed'
  return (
    <div class={`pair ${row.kind}`}>
      {alone ? null : (
        <div class={`cell ${a && rowDiffers(row) ? (tint ? 'was' : 'del') : ''}`}>{a ? <Line node={a} layer={layer} other={pair ? b : undefined} cost={a.us[bucket]} /> : null}</div>
      )}
      <div class={`cell ${b && rowDiffers(row) ? (tint ? 'now' : 'ins') : ''}`}>{b ? <Line node={b} layer={layer} other={pair ? a : undefined} cost={b.us[bucket]} /> : null}</div>
    </div>
  )
}

// Columns is a column for each stage. Passes that changed nothing are strips.
function Columns() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const here = useRef<HTMLElement>(null)
  useEffect(() => here.current?.scrollIntoView({ inline: 'center', block: 'nearest' }), [s.stage, s.columns])
  return (
    <div class="columns" tabindex={0} role="region" aria-label="A column for each pass">
      {t.stages.map((_, stage) => {
        if (stage > 0 && !changed(s.track, stage)) {
          return (
            <button key={stage} type="button" class="strip" title="This pass changed nothing here" onClick={() => set({ stage })}>
              <span>{stageName(stage)}</span>
            </button>
          )
        }
        return (
          <section key={stage} class={`column${stage === s.stage ? ' on' : ''}`} ref={stage === s.stage ? here : undefined} aria-label={stageName(stage)}>
            <h2>
              <button type="button" onClick={() => set({ stage })}>
                {stageName(stage)}
              </button>
              <span class="dim">{count(t.stages[stage]!.launches)}</span>
            </h2>
            {t.sections.map((sec, i) => (
              <ColumnSection key={i} label={sec.label} layer={layerOf(sec)} rows={rowsOf(s.track, stage, i)} />
            ))}
          </section>
        )
      })}
    </div>
  )
}

function ColumnSection({ label, layer, rows }: { label: string; layer?: number; rows: Row[] }) {
  const removed = rows.filter((r) => r.a && !r.b).length + rows.filter((r) => r.kind === 'replaced').length
  return (
    <div class="column-section">
      <h3>
        {label} {removed > 0 ? <span class="gone">−{removed}</span> : null}
      </h3>
      {rows.map((r) =>
        r.b ? (
          <div key={r.b.id} class={`cell ${!rowDiffers(r) ? '' : r.kind === 'changed' ? 'now' : 'ins'}`}>
            <Line node={r.b} layer={layer} other={r.kind === 'changed' || r.kind === 'renamed' ? r.a : undefined} />
          </div>
        ) : null,
      )}
    </div>
  )
}
