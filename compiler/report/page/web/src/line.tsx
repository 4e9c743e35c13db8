// An operator as a line of text, in which every value can be clicked.

import type { ComponentChildren } from 'preact'
import type { Node, Operand, Result } from './data'
import { data } from './model'
import { get, select, set, useStore } from './store'
import { bytes, duration, ownName } from './text'

export function Value({ id, place, children, mark }: { id: number; place?: readonly number[]; children?: ComponentChildren; mark?: boolean }) {
  const { value } = useStore()
  return (
    <button
      type="button"
      class={`value${value === id ? ' on' : ''}${mark ? ' mark' : ''}`}
      data-v={id}
      onClick={(e) => {
        e.stopPropagation()
        select(get().value === id && !place ? 0 : id, place)
      }}
    >
      {children ?? `%${id}`}
    </button>
  )
}

// shortWeight is a weight's name without its layer; of a weight that is made of several tensors the first one.
export function shortWeight(name: string, layer: number | undefined): string {
  const parts = ownName(name, layer).split(' + ')
  return parts.length === 1 ? parts[0]! : `${parts[0]} +${parts.length - 1}`
}

function operandText(o: Operand, layer: number | undefined): string {
  if (!o.id) return '–'
  if (o.weight) return shortWeight(data.weights[o.weight - 1]!.name, layer)
  if (o.input) return o.input
  if (o.cache) return 'KV cache'
  return `%${o.id}`
}

function operandTitle(o: Operand): string {
  if (o.weight) {
    const w = data.weights[o.weight - 1]!
    return `${o.name}: ${w.name}\n${w.type}, ${bytes(w.bytes)} on each rank\n${w.recipe}`
  }
  if (o.cache) return `${o.name}: KV cache of ${o.cache}`
  return `${o.name}${o.type ? `: ${o.type}` : ''}${o.from ? `, from ${o.from}` : ''}`
}

function same(a: Operand | undefined, b: Operand): boolean {
  return a !== undefined && a.id === b.id && a.weight === b.weight && a.type === b.type && a.cache === b.cache
}

// Line writes an operator. `other` is the same operator at the stage beside: what differs is marked.
export function Line({ node, layer, other, cost }: { node: Node; layer?: number; other?: Node; cost?: number }) {
  const { value } = useStore()
  const touched = value !== 0 && (node.out.some((r) => r.id === value) || node.in.some((o) => o.id === value))
  return (
    <div class={`line f-${node.family}${touched ? ' touched' : ''}`} title={node.doc}>
      <div class="line-main">
        <span class="dot" aria-hidden="true" />
        {node.out.filter((r) => r.type !== 'state' || node.out.length === 1).map((r) => (
          <Value key={r.id} id={r.id} place={node.place} />
        ))}
        <span class="eq">=</span>
        <b class={other && other.op !== node.op ? 'chg' : undefined}>{node.op}</b>
        <span class="args">
          {node.in.map((o, i) => (
            <span key={i} class={other && !same(other.in[i], o) ? 'chg' : undefined} title={operandTitle(o)}>
              {o.id ? (
                <button
                  type="button"
                  class={`value k-${o.weight ? 'weight' : o.cache ? 'cache' : o.input ? 'input' : 'value'}${value === o.id ? ' on' : ''}`}
                  data-v={o.id}
                  onClick={() => (o.weight || o.cache ? select(o.id!, node.place) : select(o.id!))}
                >
                  {operandText(o, layer)}
                </button>
              ) : null}
            </span>
          ))}
        </span>
      </div>
      {cost !== undefined && !node.view ? <span class="cost">{duration(cost)}</span> : null}
      <div class="line-sub">
        {node.out.map((r, i) => (
          <TypeOf key={r.id} r={r} other={other?.out[i]} marked={other !== undefined} />
        ))}
        {weightTypes(node).map(([name, type], i) => {
          const before = other ? weightTypes(other)[i]?.[1] : type
          return (
            <span key={name} class={before !== type ? 'chg' : 'wt'}>
              {name} {type}
            </span>
          )
        })}
        {node.attrs?.map(([k, v]) => {
          const before = other ? other.attrs?.find(([x]) => x === k)?.[1] : v
          return (
            <span key={k} class={before !== v ? 'chg' : undefined}>
              {k} {v}
            </span>
          )
        })}
      </div>
    </div>
  )
}

function TypeOf({ r, other, marked }: { r: Result; other?: Result; marked: boolean }) {
  if (r.type === 'state') return <span class="type">cache state</span>
  return <span class={marked && other?.type !== r.type ? 'type chg' : 'type'}>{r.type}</span>
}

function weightTypes(n: Node): [string, string][] {
  const out: [string, string][] = []
  for (const o of n.in) if (o.weight) out.push([o.name, data.weights[o.weight - 1]!.type])
  return out
}

// Where is a place in the source, as a link into the source pane.
export function Where({ place }: { place: readonly number[] }) {
  const [file, line, column] = place
  if (file === undefined || file < 0) return null
  const name = data.sources[file]?.name ?? ''
  const short = name.split('/').at(-1)
  if (!line) return <span class="where">{short}</span>
  return (
    <button type="button" class="where" title={`${name}:${line}:${column}`} onClick={() => set({ file, line, panel: true })}>
      {short}:{line}
    </button>
  )
}
