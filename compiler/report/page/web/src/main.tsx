// The frame of the page: what stands at the top, the view below it, and the pane beside it.

import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import './page.css'
import { changed, data, entries, lastStage, local, trackFor } from './model'
import { Cost } from './cost'
import { GraphView } from './graph'
import { Memory } from './memory'
import { Overview } from './overview'
import { Panel } from './panel'
import { Passes, Rail } from './passes'
import { Search } from './search'
import { Timeline } from './timeline'
import { commonest, get, set, useStore, views, type View } from './store'
import { count, plural } from './text'

const titles: Record<View, string> = { overview: 'Overview', passes: 'Passes', graph: 'Graph', memory: 'Memory', timeline: 'Timeline', cost: 'Cost' }

function Page() {
  const s = useStore()
  useHover()
  useKeys()
  useShown(s.view, s.stage, s.pass)
  const rail = s.view === 'passes' || s.view === 'graph'
  const panel = s.panel && (s.view === 'passes' || s.value !== 0 || s.line !== 0)
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.scrollIntoView() }}>
        To the content
      </a>
      <Top />
      <div class={`body${rail ? ' with-rail' : ''}${panel ? ' with-panel' : ''}`}>
        {data.tracks.length === 0 ? (
          <main class="view">
            <p class="empty">The plan has no program.</p>
          </main>
        ) : (
          <>
            {rail ? <Rail /> : null}
            {s.view === 'overview' ? <Overview /> : null}
            {s.view === 'passes' ? <Passes /> : null}
            {s.view === 'graph' ? <GraphView /> : null}
            {s.view === 'memory' ? <Memory /> : null}
            {s.view === 'timeline' ? <Timeline /> : null}
            {s.view === 'cost' ? <Cost /> : null}
            {panel ? <Panel /> : null}
          </>
        )}
      </div>
    </>
  )
}

function Top() {
  const s = useStore()
  const t = data.tracks[s.track]
  return (
    <header class="top">
      <div class="top-row">
        <div class="brand">
          <Mark />
          <div>
            <strong>{data.model}</strong>
            <span>
              for {data.target}, {plural(data.ranks, 'rank')}
              {data.pipeline ? `, pipeline ${data.pipeline}` : ''}
            </span>
          </div>
        </div>
        <Search />
        <Theme />
      </div>
      <div class="top-row second">
        <nav class="tabs" aria-label="Views">
          {views.map((v) => (
            <button key={v} type="button" aria-current={s.view === v ? 'page' : undefined} onClick={() => set({ view: v })}>
              {titles[v]}
            </button>
          ))}
        </nav>
        <div class="pickers">
          {entries.length > 1 ? (
            <label>
              Entry
              <select
                value={t?.entry}
                onChange={(e) => {
                  const track = trackFor(e.currentTarget.value, s.bucket)
                  set({ track, value: 0, section: commonest(track) })
                }}
              >
                {entries.map((x) => (
                  <option key={x} value={x}>
                    {x}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          {t && data.buckets.length > 0 ? (
            <label title={t.variant ? `This program is for ${t.variant}` : undefined}>
              Step
              <select value={s.bucket} onChange={(e) => set({ bucket: Number(e.currentTarget.value) })}>
                {data.buckets.map((b, i) =>
                  local(trackFor(t.entry, i), i) < 0 ? null : (
                    <option key={i} value={i}>
                      {b.phase} {count(b.tokens)}
                    </option>
                  ),
                )}
              </select>
            </label>
          ) : null}
          <button type="button" class="small" aria-pressed={s.panel} onClick={() => set({ panel: !s.panel })}>
            Details
          </button>
        </div>
      </div>
    </header>
  )
}

function Mark() {
  return (
    <svg class="logo" width="30" height="30" viewBox="0 0 30 30" aria-hidden="true">
      <rect width="30" height="30" rx="8" class="logo-back" />
      <path d="M8 9h14M8 15h9M8 21h5" class="logo-lines" />
      <circle cx="21.5" cy="15" r="2.2" class="logo-dot" />
      <circle cx="17.5" cy="21" r="2.2" class="logo-dot" />
    </svg>
  )
}

function Theme() {
  const [theme, setTheme] = useState<'' | 'light' | 'dark'>('')
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme
  }, [theme])
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  return (
    <button type="button" class="icon theme" aria-label={dark ? 'Light colours' : 'Dark colours'} onClick={() => setTheme(dark ? 'light' : 'dark')}>
      {dark ? '☀' : '☾'}
    </button>
  )
}

// useKeys has [ and ] go to the pass before and behind that changed something.
function useKeys() {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const typing = e.target instanceof HTMLElement && e.target.matches('input, select, textarea')
      const step = e.key === '[' ? -1 : e.key === ']' ? 1 : 0
      if (typing || step === 0 || e.ctrlKey || e.metaKey || e.altKey || !data.complete) return
      const s = get()
      let stage = s.stage + step
      while (stage > 0 && stage < lastStage && !changed(s.track, stage)) stage += step
      if (stage >= 0 && stage <= lastStage) set({ stage, view: s.view === 'graph' ? 'graph' : 'passes' })
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [])
}

// useHover shows a value everywhere while the pointer is on it.
function useHover() {
  useEffect(() => {
    let lit: Element[] = []
    const over = (e: Event) => {
      const v = e.target instanceof Element ? e.target.closest<HTMLElement>('[data-v]')?.dataset.v : undefined
      for (const x of lit) x.classList.remove('lit')
      lit = v ? [...document.querySelectorAll(`[data-v="${Number(v)}"]`)] : []
      for (const x of lit) x.classList.add('lit')
    }
    document.addEventListener('pointerover', over)
    return () => document.removeEventListener('pointerover', over)
  }, [])
}

// useShown scrolls the tabs, and the rail, to what is chosen there: an address or a key may have chosen it.
function useShown(...chosen: unknown[]) {
  useEffect(() => {
    for (const box of document.querySelectorAll('.tabs, .rail')) {
      const item = box.querySelector('[aria-current="page"], [aria-current="true"]')
      if (!item) continue
      const a = item.getBoundingClientRect()
      const b = box.getBoundingClientRect()
      box.scrollTop += Math.min(a.top - b.top - 8, 0) + Math.max(a.bottom - b.bottom + 8, 0)
      box.scrollLeft += Math.min(a.left - b.left, 0) + Math.max(a.right - b.right, 0)
    }
  }, chosen)
}

render(<Page />, document.getElementById('page')!)
document.documentElement.dataset.ready = '1'
