// The document that the page shows; compiler/report/page/data.go describes it.

export type Place = [file: number, line: number, column: number]

export interface Data {
  version: string
  model: string
  pipeline: string
  target: string
  ranks: number
  precision: string
  complete: boolean
  memory: { weights: number; arena: number; bound: number; perToken: number }
  passes: Pass[]
  stages: number[]
  sources: { name: string; text: string }[]
  weights: Weight[]
  buckets: Bucket[]
  nodes: Node[]
  tracks: Track[]
  profile: Measured | null
}

export interface Pass {
  name: string
  doc: string
  numeric: string
  disabled?: boolean
  applied: number
  missed: number
  after: { pass: string; why: string }[]
  proof?: { status: string; cases: number; maxError: number; bound: number }
  remarks: Remark[]
}

export interface Remark {
  applied: boolean
  id: string
  entry: string
  buckets?: string
  layers: number[]
  where: string
  place: Place
  reason: string
  saves?: string
}

export interface Weight {
  name: string
  type: string
  bytes: number
  recipe: string
}

export interface Node {
  id: number
  op: string
  doc?: string
  family: string
  view?: boolean
  out: Result[]
  in: Operand[]
  attrs?: [string, string][]
  path: string
  place: Place
  us: number[] // by bucket of Data
}

export interface Result {
  id: number
  type: string
  to?: number[]
  out?: boolean
}

export interface Operand {
  name: string
  id?: number
  type?: string
  weight?: number
  cache?: string
  input?: string
  from?: string
  state?: boolean
}

export interface Track {
  entry: string
  variant: string
  inputs: Operand[]
  layouts: { bucket: number; arena: number; bound: number }[]
  sections: Section[]
  stages: Stage[]
  program: Step[]
  work: Work[][][]
  buffers: Buffer[]
  sizes: number[][]
}

export interface Section {
  label: string
  layers: number[]
  count: number
}

export type Change = [kind: number, before: number, after: number]

export interface Stage {
  parts: number[][]
  changes: Change[][]
  replaced: [number, number][]
  launches: number
  us: number[] // by bucket of Data
}

export interface Step {
  s: number
  i: number
  l: number
  t?: number
  w?: number[]
}

export interface Bucket {
  phase: string
  tokens: number
  seqs: number
  rows: number
}

export interface Work {
  f: number
  b: number
  c?: number
  by?: string
}

export interface Buffer {
  v: number
  r?: number
  a: number
  z: number
  k: number
  o: number[]
  p?: number[]
}

export interface Measured {
  device: string
  threads: number
  tracks: { steps: number[]; us: number[][][] }[]
}
