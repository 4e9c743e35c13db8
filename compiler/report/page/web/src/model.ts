// What can be asked of the document: which operators a stage has, where a value is made and read, in what two stages
// differ, and how a value fares from stage to stage.

import type { Data, Node, Remark, Section, Track } from './data'

export const data: Data = JSON.parse(document.getElementById('data')!.textContent!)

export interface At {
  section: number
  node: Node
}

export class Graph {
  readonly nodes: Node[][] // by section
  readonly def = new Map<number, At>()
  readonly users = new Map<number, At[]>()
  readonly byID = new Map<number, At>()

  constructor(readonly track: Track, readonly stage: number) {
    this.nodes = track.stages[stage]!.parts.map((part) => part.map((i) => data.nodes[i]!))
    this.nodes.forEach((nodes, section) => {
      for (const node of nodes) {
        const at = { section, node }
        this.byID.set(node.id, at)
        for (const r of node.out) this.def.set(r.id, at)
        for (const o of node.in) {
          if (!o.id) continue
          const list = this.users.get(o.id)
          if (!list) this.users.set(o.id, [at])
          else if (list.at(-1) !== at) list.push(at)
        }
      }
    })
  }

  has(value: number): boolean {
    return this.def.has(value) || this.users.has(value)
  }
}

const graphs = new Map<string, Graph>()

export function graph(track: number, stage: number): Graph {
  const key = `${track}.${stage}`
  let g = graphs.get(key)
  if (!g) graphs.set(key, (g = new Graph(data.tracks[track]!, stage)))
  return g
}

export const lastStage = data.stages.length - 1

export function stageName(stage: number): string {
  const p = data.stages[stage]!
  return p < 0 ? 'as lowered' : data.passes[p]!.name
}

// stageOf is the stage behind a pass; -1 where the pass did not run.
export function stageOf(pass: number): number {
  return data.stages.indexOf(pass)
}

// changed reports whether a pass changed a track.
export function changed(track: number, stage: number): boolean {
  return stage === 0 || data.tracks[track]!.stages[stage]!.changes.some((c) => c.length > 0)
}

// local is a bucket's place among the layouts of a track; -1 where the track is not for it.
export function local(track: number, bucket: number): number {
  return data.tracks[track]!.layouts.findIndex((l) => l.bucket === bucket)
}

// entries are the names of the entries; an entry may have several tracks, for different buckets.
export const entries = [...new Set(data.tracks.map((t) => t.entry))]

// trackFor is the track of an entry for a bucket, or its first one.
export function trackFor(entry: string, bucket: number): number {
  const at = data.tracks.findIndex((t, i) => t.entry === entry && local(i, bucket) >= 0)
  return at >= 0 ? at : Math.max(0, data.tracks.findIndex((t) => t.entry === entry))
}

// label names a track.
export function label(t: Track): string {
  return t.variant ? `${t.entry}, ${t.variant}` : t.entry
}

// concerns reports whether a remark is about a track.
export function concerns(r: Remark, t: Track): boolean {
  return r.entry === t.entry && (!r.buckets || r.buckets === t.variant)
}

// launches of one layer of a section.
export function launches(nodes: Node[]): number {
  return nodes.filter((n) => !n.view).length
}

export function micros(nodes: Node[], bucket: number): number {
  return nodes.reduce((sum, n) => sum + (n.us[bucket] ?? 0), 0)
}

export function layerOf(s: Section): number | undefined {
  return s.layers[0]
}

export interface Row {
  kind: 'same' | 'renamed' | 'changed' | 'removed' | 'added' | 'replaced'
  a?: Node
  b?: Node
}

// What the numbers of changes say, in the order of Kinds in data.go.
const kinds = ['same', 'renamed', 'removed', 'added', 'changed'] as const

// rows sets a section before and behind a pass side by side; what was removed stands beside what was added at the same
// place.
export function rows(track: number, stage: number, section: number): Row[] {
  const s = data.tracks[track]!.stages[stage]!
  const changes = s.changes[section]!
  if (changes.length === 0) return graph(track, stage).nodes[section]!.map((n) => ({ kind: 'same', a: stage > 0 ? n : undefined, b: n }))
  const out: Row[] = []
  let removed: Node[] = []
  let added: Node[] = []
  const flush = () => {
    for (let k = 0; k < Math.max(removed.length, added.length); k++) {
      const a = removed[k]
      const b = added[k]
      out.push(a && b ? { kind: 'replaced', a, b } : a ? { kind: 'removed', a } : { kind: 'added', b: b! })
    }
    removed = []
    added = []
  }
  for (const [kind, before, after] of changes) {
    const a = data.nodes[before]
    const b = data.nodes[after]
    if (kinds[kind] === 'removed') removed.push(a!)
    else if (kinds[kind] === 'added') added.push(b!)
    else {
      flush()
      out.push({ kind: kinds[kind]!, a, b })
    }
  }
  flush()
  return out
}

// differs reports whether a row is more than new numbers for the same.
export function differs(r: Row): boolean {
  return r.kind !== 'same' && r.kind !== 'renamed'
}

// status says how each operator of a section fares, for drawings.
export function status(list: Row[]): Map<number, Row['kind']> {
  const out = new Map<number, Row['kind']>()
  for (const r of list) {
    if (r.a) out.set(r.a.id, r.kind === 'replaced' ? 'removed' : r.kind)
    if (r.b) out.set(r.b.id, r.kind === 'replaced' ? 'added' : r.kind)
  }
  return out
}

const shapes = new WeakMap<Node, string>()

// shape is what counts of the operator that makes a value, when two stages are compared.
function shape(n: Node): string {
  let s = shapes.get(n)
  if (s === undefined) shapes.set(n, (s = JSON.stringify([n.op, n.out, n.in, n.attrs])))
  return s
}

// source is the place that a value comes from: at a stage, or at the nearest one where it is made.
export function source(track: number, stage: number, value: number): readonly number[] | undefined {
  for (const step of [-1, 1]) {
    for (let i = stage; i >= 0 && i <= lastStage; i += step) {
      const at = graph(track, i).def.get(value)
      if (at) return at.node.place
    }
  }
  return undefined
}

export interface Fate {
  stage: number
  what: 'there' | 'appears' | 'changes' | 'readers' | 'goes' | 'absent'
  at?: At // where it is made
  type?: string
  before?: string // type before
  into?: At[] // operators that took its place
  users: At[]
}

// follow says at every stage what became of a value.
export function follow(track: number, value: number): Fate[] {
  const out: Fate[] = []
  const t = data.tracks[track]!
  for (let stage = 0; stage < t.stages.length; stage++) {
    const g = graph(track, stage)
    const at = g.def.get(value)
    const users = g.users.get(value) ?? []
    const operand = users.flatMap((u) => u.node.in).find((o) => o.id === value)
    const type = at?.node.out.find((r) => r.id === value)?.type ?? operandType(operand)
    const here = at !== undefined || users.length > 0
    const last = out.at(-1)
    const was = last !== undefined && last.what !== 'absent' && last.what !== 'goes'
    let what: Fate['what']
    if (!here) what = was ? 'goes' : 'absent'
    else if (!was) what = stage === 0 ? 'there' : 'appears'
    else if (type !== last!.type || (at && last!.at ? shape(at.node) !== shape(last!.at.node) : at !== last!.at)) what = 'changes'
    else if (users.map((u) => u.node.id).join() !== last!.users.map((u) => u.node.id).join()) what = 'readers'
    else what = 'there'
    const fate: Fate = { stage, what, at, type, users, before: last?.type }
    if (what === 'goes') {
      const next = t.stages[stage]!.replaced.find(([from]) => from === value)?.[1]
      const heir = next === undefined ? undefined : g.def.get(next)
      fate.into = heir ? [heir] : heirs(graph(track, stage - 1), g, value)
    }
    out.push(fate)
  }
  return out
}

function operandType(o: { type?: string; weight?: number } | undefined): string | undefined {
  return o?.weight ? data.weights[o.weight - 1]!.type : o?.type
}

// heirs are the operators that took the place of the one that made a value: a pass takes out a connected group, and
// what it puts there takes operands of the group or makes what its readers read.
function heirs(before: Graph, after: Graph, value: number): At[] {
  const start = before.def.get(value)
  if (!start) return []
  const group = new Set<At>([start])
  const edge = new Set<number | string>()
  const work = [start]
  while (work.length > 0) {
    const at = work.pop()!
    const near: At[] = []
    for (const o of at.node.in) {
      const from = o.id ? before.def.get(o.id) : undefined
      if (from) near.push(from)
      if (o.weight) edge.add(data.weights[o.weight - 1]!.name)
      else if (o.id && !(from && !after.byID.has(from.node.id))) edge.add(o.id)
    }
    for (const r of at.node.out) near.push(...(before.users.get(r.id) ?? []))
    for (const n of near) {
      if (n.section === start.section && !after.byID.has(n.node.id) && !group.has(n)) {
        group.add(n)
        work.push(n)
      }
    }
  }
  return after.nodes[start.section]!.filter(
    (n) => !before.byID.has(n.id) && n.in.some((o) => (o.weight ? edge.has(data.weights[o.weight - 1]!.name) : o.id && edge.has(o.id))),
  ).map((node) => ({ section: start.section, node }))
}
