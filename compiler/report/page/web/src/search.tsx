// Search over everything that has a name.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { concerns, data, graph, stageName, stageOf } from './model'
import { get, select, set, useStore } from './store'

interface Hit {
  kind: 'pass' | 'value' | 'weight' | 'remark' | 'source'
  text: string
  sub: string
  hay: string
  go: () => void
}

const order = ['pass', 'value', 'weight', 'remark', 'source']
const names = { pass: 'Pass', value: 'Value', weight: 'Weight', remark: 'Remark', source: 'Source' }

function collect(track: number): Hit[] {
  const t = data.tracks[track]!
  const hits: Hit[] = []
  data.passes.forEach((p, i) => {
    const stage = stageOf(i)
    hits.push({ kind: 'pass', text: p.name, sub: p.doc, hay: `${p.name} ${p.doc}`, go: () => set(stage < 0 ? { view: 'overview' } : { view: 'passes', stage, columns: false }) })
    for (const r of p.remarks) {
      if (!concerns(r, t)) continue
      hits.push({
        kind: 'remark', text: r.reason, sub: `${r.applied ? 'applied' : 'missed'} · ${r.id} · ${r.where || r.entry}`, hay: `${r.id} ${r.reason} ${r.where}`,
        go: () => set({ view: 'passes', stage: stage < 0 ? get().stage : stage, file: Math.max(0, r.place[0]), line: r.place[1], panel: true, columns: false }),
      })
    }
  })
  const seen = new Set<number>()
  const weights = new Set<string>()
  for (let stage = t.stages.length - 1; stage >= 0; stage--) {
    const g = graph(track, stage)
    const show = (section: number) => ({ view: (get().view === 'graph' ? 'graph' : 'passes') as 'graph' | 'passes', stage, section, columns: false })
    g.nodes.forEach((nodes, section) => {
      for (const n of nodes) {
        const label = t.sections[section]!.label
        if (!seen.has(n.id)) {
          seen.add(n.id)
          const ids = n.out.filter((r) => r.type !== 'state').map((r) => `%${r.id}`).join(', ')
          hits.push({
            kind: 'value', text: `${ids} = ${n.op}`, sub: `${label} · ${n.out[0]?.type ?? ''}${stage < t.stages.length - 1 ? ` · until ${stageName(stage + 1)}` : ''}`,
            hay: `${ids} ${n.op} ${n.path} ${n.out.map((r) => r.type).join(' ')} ${label}`,
            go: () => {
              set(show(section))
              select(n.out.find((r) => r.type !== 'state')?.id ?? n.out[0]?.id ?? 0, n.place)
            },
          })
        }
        for (const o of n.in) {
          if (!o.weight) continue
          const w = data.weights[o.weight - 1]!
          if (weights.has(w.name)) continue
          weights.add(w.name)
          hits.push({
            kind: 'weight', text: w.name, sub: `${w.type} · ${label}`, hay: `${w.name} ${w.type}`,
            go: () => {
              set(show(section))
              select(o.id!, n.place)
            },
          })
        }
      }
    })
  }
  data.sources.forEach((f, file) => {
    if (!f.text) return
    f.text.split('\n').forEach((l, i) => {
      if (l.trim()) hits.push({ kind: 'source', text: l.trim(), sub: `${f.name}:${i + 1}`, hay: l, go: () => set({ file, line: i + 1, panel: true }) })
    })
  })
  for (const h of hits) h.hay = h.hay.toLowerCase()
  return hits
}

function find(hits: Hit[], query: string): Hit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return []
  const found = hits.filter((h) => words.every((w) => h.hay.includes(w)))
  const exact = (h: Hit) => (h.hay.startsWith(words[0]!) || h.hay.split(/[\s,]/).includes(words[0]!) ? 0 : 1)
  found.sort((a, b) => exact(a) - exact(b) || order.indexOf(a.kind) - order.indexOf(b.kind))
  // Some of each kind, so that one kind does not hide the others.
  const per = new Map<string, number>()
  return found
    .filter((h) => {
      const n = (per.get(h.kind) ?? 0) + 1
      per.set(h.kind, n)
      return n <= 8
    })
    .slice(0, 30)
}

export function Search() {
  const s = useStore()
  const [query, setQuery] = useState('')
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const hits = useMemo(() => (open ? collect(s.track) : []), [open, s.track])
  const found = useMemo(() => find(hits, query), [hits, query])
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const typing = e.target instanceof HTMLElement && (e.target.matches('input, select, textarea') || e.target.isContentEditable)
      if (e.key === '/' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
        e.preventDefault()
        input.current?.focus()
        input.current?.select()
      }
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [])
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: 'nearest' }), [at])
  const choose = (h: Hit | undefined) => {
    if (!h) return
    h.go()
    setOpen(false)
    input.current?.blur()
  }
  const shown = open && query.trim() !== ''
  return (
    <div class="search" role="search">
      <input
        ref={input}
        type="search"
        placeholder="Search operators, weights, values, remarks"
        aria-label="Search"
        role="combobox"
        list={undefined}
        aria-expanded={shown}
        aria-controls="hits"
        aria-autocomplete="list"
        aria-activedescendant={shown && found[at] ? `hit${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        value={query}
        onFocus={() => setOpen(true)}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onInput={(e) => {
          setQuery(e.currentTarget.value)
          setAt(0)
          setOpen(true)
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
          else if (e.key === 'ArrowUp') setAt(Math.max(0, at - 1))
          else if (e.key === 'Enter') choose(found[at])
          else if (e.key === 'Escape') {
            setOpen(false)
            e.currentTarget.blur()
          } else return
          e.preventDefault()
        }}
      />
      <kbd aria-hidden="true">/</kbd>
      {shown ? (
        <ul id="hits" class="hits" role="listbox" ref={list} aria-label="What was found">
          {found.length === 0 ? <li class="none">Nothing of that name in this program.</li> : null}
          {found.map((h, i) => (
            <li
              key={i}
              id={`hit${i}`}
              role="option"
              aria-selected={i === at}
              class={i === at ? 'on' : undefined}
              onPointerDown={(e) => {
                e.preventDefault()
                choose(h)
              }}
            >
              <span class={`kind k-${h.kind}`}>{names[h.kind]}</span>
              <span class="hit-text">
                <span class="hit-main">{h.text}</span>
                <span class="hit-sub">{h.sub}</span>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}
