// The pane beside every view: the chosen value on its way through the passes, and the source.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { data, follow, graph, lastStage, stageName, type At, type Fate } from './model'
import { Value, Where } from './line'
import { select, set, useStore } from './store'
import { bytes } from './text'

export function Panel() {
  const s = useStore()
  return (
    <aside class="panel" aria-label="Value and source">
      <Journey />
      {data.sources.length > 0 ? <SourcePane key="source" file={s.file} line={s.line} /> : null}
    </aside>
  )
}

function Journey() {
  const s = useStore()
  const t = data.tracks[s.track]!
  if (s.value === 0) {
    return (
      <section class="pane journey" aria-label="Value">
        <h2>Value</h2>
        <p class="empty">
          Click a value such as <code>%{firstValue(s.track)}</code> to follow it through every pass and into the source.
        </p>
      </section>
    )
  }
  const fates = follow(s.track, s.value)
  const known = fates.filter((f) => f.what !== 'absent')
  if (known.length === 0) {
    return (
      <section class="pane journey" aria-label="Value">
        <h2>%{s.value}</h2>
        <p class="empty">There is no such value in {t.entry}.</p>
      </section>
    )
  }
  const shown = known.findLast((f) => f.stage <= s.stage && f.what !== 'goes') ?? known[0]!
  const operand = shown.users.flatMap((u) => u.node.in).find((o) => o.id === s.value)
  const section = shown.at?.section ?? shown.users[0]?.section
  return (
    <section class="pane journey" aria-label={`Value ${s.value}`} aria-live="polite">
      <header>
        <h2>
          <span class="value on big">%{s.value}</span>
          <code>{shown.type}</code>
        </h2>
        <button type="button" class="icon" aria-label="Let go of the value" onClick={() => set({ value: 0 })}>
          ×
        </button>
      </header>
      <dl class="facts">
        <dt>Made by</dt>
        <dd>
          {shown.at ? (
            <>
              <b>{shown.at.node.op}</b> <Where place={shown.at.node.place} />
              <div class="dim">{shown.at.node.path}</div>
            </>
          ) : operand?.weight ? (
            <WeightFacts index={operand.weight} />
          ) : operand?.cache ? (
            <>KV cache of {operand.cache}</>
          ) : (
            <>input of the step: {operand?.input ?? ''}</>
          )}
        </dd>
        <dt>Read by</dt>
        <dd>
          <Readers users={shown.users} at={shown.at} value={s.value} />
        </dd>
        {section !== undefined ? (
          <>
            <dt>In</dt>
            <dd>{t.sections[section]!.label}</dd>
          </>
        ) : null}
      </dl>
      <h3>Through the passes</h3>
      <ol class="fates">{folded(fates)}</ol>
    </section>
  )
}

function WeightFacts({ index }: { index: number }) {
  const w = data.weights[index - 1]!
  return (
    <>
      <div class="break">{w.name}</div>
      <div class="dim break">
        {w.type}, {bytes(w.bytes)} on each rank
      </div>
      <div class="dim break">{w.recipe}</div>
    </>
  )
}

function Readers({ users, at, value }: { users: At[]; at?: At; value: number }) {
  const to = at?.node.out.find((r) => r.id === value)
  if (users.length === 0 && !to?.to && !to?.out) return <span class="dim">nobody</span>
  return (
    <>
      {users.map((u) => (
        <span key={u.node.id} class="reader">
          <b>{u.node.op}</b>
          {u.node.out[0] ? <Value id={u.node.out.find((r) => r.type !== 'state')?.id ?? u.node.out[0].id} place={u.node.place} /> : null}
        </span>
      ))}
      {to?.to ? <span class="dim">{to.to.map((l) => (l < 0 ? 'behind the layers' : `layer ${l}`)).join(', ')}</span> : null}
      {to?.out ? <span class="dim"> returned by the entry</span> : null}
    </>
  )
}

// folded writes the fates, those stages in one line at which nothing happens.
function folded(fates: Fate[]): ComponentChildren[] {
  const out: ComponentChildren[] = []
  let quiet: Fate[] = []
  const flush = () => {
    if (quiet.length > 0) out.push(<Quiet key={`q${quiet[0]!.stage}`} fates={quiet} />)
    quiet = []
  }
  let before = true
  for (const f of fates) {
    if (f.what !== 'absent') before = false
    if ((f.what === 'there' && f.stage > 0) || f.what === 'absent') {
      if (!(f.what === 'absent' && before)) quiet.push(f)
      continue
    }
    flush()
    out.push(<FateRow key={f.stage} fate={f} />)
  }
  flush()
  return out
}

function Quiet({ fates }: { fates: Fate[] }) {
  const [open, setOpen] = useState(false)
  const gone = fates[0]!.what === 'absent'
  if (open) {
    return (
      <>
        {fates.map((f) => (
          <li key={f.stage} class="fate quiet">
            <button type="button" onClick={() => set({ stage: f.stage, view: 'passes' })}>
              {stageName(f.stage)}
            </button>
          </li>
        ))}
      </>
    )
  }
  const n = fates.length
  return (
    <li class="fate quiet">
      <button type="button" onClick={() => setOpen(true)}>
        {gone ? `not there behind ${n === 1 ? stageName(fates[0]!.stage) : `${n} more passes`}` : `the same behind ${n === 1 ? stageName(fates[0]!.stage) : `${n} passes`}`}
      </button>
    </li>
  )
}

function FateRow({ fate }: { fate: Fate }) {
  const s = useStore()
  return (
    <li class={`fate w-${fate.what}${s.stage === fate.stage ? ' here' : ''}`}>
      <button type="button" class="stage" onClick={() => set({ stage: fate.stage, view: s.view === 'graph' ? 'graph' : 'passes', section: fate.at?.section ?? s.section })}>
        {stageName(fate.stage)}
      </button>
      <div class="fate-text">
        <What fate={fate} />
      </div>
    </li>
  )
}

function What({ fate }: { fate: Fate }) {
  const op = fate.at ? <b>{fate.at.node.op}</b> : null
  switch (fate.what) {
    case 'there':
      return op ? <>made by {op}, read by {names(fate.users)}</> : <>read by {names(fate.users)}</>
    case 'appears':
      return op ? <>new: made by {op}, read by {names(fate.users)}</> : <>new: read by {names(fate.users)}</>
    case 'changes':
      return (
        <>
          {fate.type !== fate.before ? (
            <code class="types">
              <del>{fate.before}</del> <ins>{fate.type}</ins>
            </code>
          ) : (
            <>{op ?? 'it'} takes other operands or attributes</>
          )}
        </>
      )
    case 'readers':
      return <>now read by {names(fate.users)}</>
    case 'goes':
      return fate.into && fate.into.length > 0 ? (
        <>
          became part of{' '}
          {fate.into.map((x) => (
            <span key={x.node.id} class="reader">
              <b>{x.node.op}</b>
              {x.node.out[0] ? <Value id={x.node.out.find((r) => r.type !== 'state')?.id ?? x.node.out[0].id} place={x.node.place} /> : null}
            </span>
          ))}
        </>
      ) : (
        <>no longer needed</>
      )
  }
  return null
}

function names(users: At[]): string {
  const list = [...new Set(users.map((u) => u.node.op))]
  return list.length === 0 ? 'nobody here' : list.join(', ')
}

function firstValue(track: number): number {
  for (const nodes of graph(track, lastStage).nodes) for (const n of nodes) for (const r of n.out) return r.id
  return 1
}

// SourcePane shows a file with the line that was chosen. Lines that operators come from can be clicked.
function SourcePane({ file, line }: { file: number; line: number }) {
  const s = useStore()
  const pre = useRef<HTMLDivElement>(null)
  const source = data.sources[file]!
  useEffect(() => {
    const box = pre.current
    const row = box?.querySelector<HTMLElement>('.row.on')
    if (box && row) box.scrollTop = row.offsetTop - box.clientHeight / 2 + 10
  }, [file, line])
  const g = graph(s.track, Math.min(s.stage, lastStage))
  const byLine = new Map<number, At[]>()
  for (const at of g.byID.values()) {
    const [f, l] = at.node.place
    if (f === file && l > 0) byLine.set(l, [...(byLine.get(l) ?? []), at])
  }
  return (
    <section class="pane source" aria-label="Source">
      <header>
        <h2>Source</h2>
        {data.sources.length > 1 ? (
          <select aria-label="File" value={file} onChange={(e) => set({ file: Number(e.currentTarget.value), line: 0 })}>
            {data.sources.map((x, i) => (
              <option key={i} value={i}>
                {x.name}
              </option>
            ))}
          </select>
        ) : (
          <span class="dim break">{source.name}</span>
        )}
      </header>
      {source.text === '' ? (
        <p class="empty">The text of this file is not part of the plan{line > 0 ? `: look at line ${line} of it` : ''}.</p>
      ) : (
        <div class="code" ref={pre} tabindex={0} role="region" aria-label={source.name}>
          {highlight(source.text).map((parts, i) => {
            const n = i + 1
            const at = byLine.get(n)
            return (
              <div key={n} class={`row${n === line ? ' on' : ''}${at ? ' has' : ''}`} aria-current={n === line ? 'location' : undefined}>
                {at ? (
                  <button
                    type="button"
                    class="num"
                    title={`${at.map((x) => x.node.op).join(', ')}: click for the value`}
                    aria-label={`Line ${n}: ${at.map((x) => x.node.op).join(', ')}`}
                    onClick={() => {
                      const values = at.flatMap((x) => x.node.out.filter((r) => r.type !== 'state').map((r) => r.id))
                      const next = values[(values.indexOf(s.value) + 1) % values.length]
                      if (next !== undefined) select(next, [file, n])
                    }}
                  >
                    {n}
                  </button>
                ) : (
                  <span class="num">{n}</span>
                )}
                <code>{parts}</code>
              </div>
            )
          })}
        </div>
      )}
    </section>
  )
}

const keywords = new Set(
  'model for config assert let block entry when return if then else in at as pipeline import from checkpoint alias ignore because optional or and not require'.split(' '),
)
const token = /(\/\/.*)|("(?:[^"\\]|\\.)*")|(\b\d[\w.]*(?:[eE][+-]?\d+)?\b)|(\b[A-Za-z_]\w*\b)|(\s+|.)/g
const highlighted = new Map<string, ComponentChildren[][]>()

// highlight splits a file into lines of coloured words. It is a rough reading: the language itself is checked by glmc.
function highlight(text: string): ComponentChildren[][] {
  let lines = highlighted.get(text)
  if (!lines) {
    lines = text.split('\n').map((l) =>
      [...l.matchAll(token)].map((m, i) => {
        const kind = m[1] ? 'c' : m[2] ? 's' : m[3] ? 'n' : m[4] && keywords.has(m[4]) ? 'k' : m[4] && l[m.index + m[4].length] === '(' ? 'f' : ''
        return kind ? (
          <span key={i} class={`t-${kind}`}>
            {m[0]}
          </span>
        ) : (
          m[0]
        )
      }),
    )
    highlighted.set(text, lines)
  }
  return lines
}
