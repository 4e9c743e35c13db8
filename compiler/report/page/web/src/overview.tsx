// The first view: what the compiler made of the model, in numbers.

import type { ComponentChildren } from 'preact'
import { changed, concerns, data, graph, lastStage, launches, micros, stageOf, trackFor } from './model'
import { commonest, set, useStore } from './store'
import { RemarkRow } from './passes'
import { bytes, change, count, duration, plural } from './text'

export function Overview() {
  return (
    <main class="view overview" id="main">
      <Tiles />
      <Savings />
      <div class="two">
        <Anatomy />
        <Missed />
      </div>
    </main>
  )
}

function Tile({ label, value, before, note, good }: { label: string; value: string; before?: string; note?: ComponentChildren; good?: boolean }) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>
        <strong>{value}</strong>
        {before ? <span class="before">was {before}</span> : null}
        {note ? <span class={good ? 'note good' : 'note'}>{note}</span> : null}
      </dd>
    </div>
  )
}

function Tiles() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const first = t.stages[0]!
  const last = t.stages[lastStage]!
  const kind = commonest(s.track)
  const a = launches(graph(s.track, 0).nodes[kind]!)
  const b = launches(graph(s.track, lastStage).nodes[kind]!)
  const decode = data.buckets.findIndex((x) => x.phase === 'decode')
  const prefill = data.buckets.findLastIndex((x) => x.phase === 'prefill')
  const timed = last.us.length > 0
  const applied = data.passes.reduce((n, p) => n + p.applied, 0)
  const missed = data.passes.reduce((n, p) => n + p.missed, 0)
  return (
    <dl class="tiles">
      <Tile
        label="Kernel launches a step"
        value={count(last.launches)}
        before={data.complete ? count(first.launches) : undefined}
        note={data.complete ? change(first.launches, last.launches) : undefined}
        good={last.launches < first.launches}
      />
      {t.sections[kind] && t.sections[kind]!.layers.length > 0 ? (
        <Tile
          label={`Launches, ${t.sections[kind]!.label}`}
          value={`${b} a layer`}
          before={data.complete ? String(a) : undefined}
          note={data.complete ? change(a, b) : undefined}
          good={b < a}
        />
      ) : null}
      {timed && decode >= 0 ? <TimeTile label={`Predicted ${t.entry === 'forward' ? 'TPOT' : 'step'}, batch of ${data.buckets[decode]!.tokens}`} bucket={decode} /> : null}
      {timed && prefill >= 0 ? <TimeTile label={`Predicted prefill, ${count(data.buckets[prefill]!.tokens)} tokens`} bucket={prefill} /> : null}
      <Tile label="Weights on each rank" value={bytes(data.memory.weights)} note={`${plural(data.ranks, 'rank')}`} />
      <Tile
        label="Arena on each rank"
        value={bytes(data.memory.arena)}
        note={data.memory.arena <= data.memory.bound ? 'at the live-range bound' : `bound ${bytes(data.memory.bound)}`}
        good={data.memory.arena <= data.memory.bound}
      />
      <Tile label="KV cache a token and rank" value={bytes(data.memory.perToken)} />
      <Tile label={data.tracks.length > 1 ? 'Rewrites applied, all entries' : 'Rewrites applied'} value={count(applied)} note={missed > 0 ? `${count(missed)} missed, each with its reason` : 'none missed'} />
    </dl>
  )
}

function TimeTile({ label, bucket }: { label: string; bucket: number }) {
  const s = useStore()
  const t = data.tracks[trackFor(data.tracks[s.track]!.entry, bucket)]!
  const a = t.stages[0]!.us[bucket]!
  const b = t.stages[lastStage]!.us[bucket]!
  return <Tile label={label} value={duration(b)} before={data.complete ? `${duration(a)}${data.ranks > 1 ? ' on one rank' : ''}` : undefined} note={data.complete ? change(a, b) : undefined} good={b < a} />
}

// Savings is what each pass did to launches and to the predicted time.
function Savings() {
  const s = useStore()
  const t = data.tracks[s.track]!
  if (!data.complete) {
    return (
      <p class="banner">
        This page was made from a plan without its source: it has the remarks of the passes and the final graph. Made from the <code>.glm</code> file
        it shows the graph behind every pass too.
      </p>
    )
  }
  const first = t.stages[0]!
  // The program may be for some sizes only: the table shows the smallest and the largest of them.
  const small = t.layouts[0]?.bucket ?? 0
  const large = t.layouts.at(-1)?.bucket ?? 0
  const timed = first.us.length > 0
  const name = (i: number) => (data.buckets[i] ? `${data.buckets[i]!.phase} ${count(data.buckets[i]!.tokens)}` : '')
  return (
    <section class="card" aria-labelledby="savings">
      <h2 id="savings">What each pass did</h2>
      <div class="scroll-x" tabindex={0} role="region" aria-labelledby="savings">
      <table class="savings">
        <thead>
          <tr>
            <th scope="col">Pass</th>
            <th scope="col">Numeric class</th>
            <th scope="col" class="r">
              Applied
            </th>
            <th scope="col" class="r">
              Missed
            </th>
            <th scope="col">Launches a step</th>
            {timed ? <th scope="col">Predicted, {name(small)}</th> : null}
            {timed && large !== small ? <th scope="col">Predicted, {name(large)}</th> : null}
          </tr>
        </thead>
        <tbody>
          <tr class="start">
            <th scope="row">as lowered</th>
            <td />
            <td />
            <td />
            <td>
              <Meter now={first.launches} max={first.launches} text={count(first.launches)} />
            </td>
            {timed ? (
              <td>
                <Meter now={first.us[small]!} max={first.us[small]!} text={duration(first.us[small]!)} />
              </td>
            ) : null}
            {timed && large !== small ? (
              <td>
                <Meter now={first.us[large]!} max={first.us[large]!} text={duration(first.us[large]!)} />
              </td>
            ) : null}
          </tr>
          {data.passes.map((p, i) => {
            const stage = stageOf(i)
            if (stage < 1) return null
            const at = t.stages[stage]!
            const before = t.stages[stage - 1]!
            const quiet = !changed(s.track, stage)
            return (
              <tr key={p.name} class={quiet ? 'quiet' : undefined}>
                <th scope="row">
                  <button type="button" class="link" title={p.doc} onClick={() => set({ view: 'passes', stage })}>
                    {p.name}
                  </button>
                </th>
                <td>
                  <span class={`badge n-${p.numeric.replaceAll(' ', '-')}`}>{p.numeric}</span>
                </td>
                <td class="r">{count(p.applied)}</td>
                <td class="r">{p.missed ? count(p.missed) : <span class="dim">–</span>}</td>
                <td>
                  <Meter now={at.launches} before={before.launches} max={first.launches} text={count(at.launches)} />
                </td>
                {timed ? (
                  <td>
                    <Meter now={at.us[small]!} before={before.us[small]} max={first.us[small]!} text={duration(at.us[small]!)} />
                  </td>
                ) : null}
                {timed && large !== small ? (
                  <td>
                    <Meter now={at.us[large]!} before={before.us[large]} max={first.us[large]!} text={duration(at.us[large]!)} />
                  </td>
                ) : null}
              </tr>
            )
          })}
        </tbody>
      </table>
      </div>
    </section>
  )
}

function Meter({ now, before, max, text }: { now: number; before?: number; max: number; text: string }) {
  const share = (n: number) => `${Math.min(100, (100 * n) / max)}%`
  return (
    <span class="meter">
      <svg height="8" aria-hidden="true">
        <rect class="bar-back" width="100%" height="8" rx="2" />
        {before !== undefined && before > now ? <rect class="bar-cut" width={share(before)} height="8" rx="2" /> : null}
        <rect class={before !== undefined && now > before ? 'bar-fill rise' : 'bar-fill'} width={share(now)} height="8" rx="2" />
      </svg>
      <span class="meter-text">{text}</span>
      <span class="meter-delta">{before !== undefined && before !== now ? change(before, now) : ''}</span>
    </span>
  )
}

// Anatomy is the model by kinds of layers.
function Anatomy() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const g = graph(s.track, lastStage)
  const timed = t.stages[0]!.us.length > 0
  const total = t.sections.reduce((n, sec, i) => n + sec.count * (timed ? micros(g.nodes[i]!, s.bucket) : launches(g.nodes[i]!)), 0)
  return (
    <section class="card" aria-labelledby="anatomy">
      <h2 id="anatomy">Layers by kind</h2>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Layers</th>
            <th scope="col" class="r">
              Launches each
            </th>
            {timed ? (
              <th scope="col" class="r">
                Each
              </th>
            ) : null}
            <th scope="col">Share of the step</th>
          </tr>
        </thead>
        <tbody>
          {t.sections.map((sec, i) => {
            const nodes = g.nodes[i]!
            const was = launches(graph(s.track, 0).nodes[i]!)
            const each = timed ? micros(nodes, s.bucket) : launches(nodes)
            return (
              <tr key={i}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => set({ view: 'graph', section: i })}>
                    {sec.label}
                  </button>
                </th>
                <td class="r">
                  {data.complete && was !== launches(nodes) ? <span class="dim">{was} → </span> : null}
                  {launches(nodes)}
                </td>
                {timed ? <td class="r">{duration(each)}</td> : null}
                <td>
                  <Meter now={sec.count * each} max={total} text={`${((100 * sec.count * each) / total).toFixed(1)} %`} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Missed() {
  const s = useStore()
  const t = data.tracks[s.track]!
  const missed = data.passes.flatMap((p) => p.remarks.filter((r) => !r.applied && concerns(r, t)).map((r) => ({ pass: p.name, r })))
  return (
    <section class="card" aria-labelledby="missed">
      <h2 id="missed">Where a pass did not apply</h2>
      {missed.length === 0 ? (
        <p class="empty">Every pass applied at every place that it looked at.</p>
      ) : (
        <div class="remarks">
          <ul>
            {missed.map(({ pass, r }, i) => (
              <RemarkRow key={i} r={r} pass={pass} />
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
