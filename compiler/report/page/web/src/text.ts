// How numbers are written. Sizes and durations are written as glmc writes them in its tables.

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let v = n / 1024
  let i = 0
  for (; v >= 1023.95 && i < units.length - 1; i++) v /= 1024
  return `${v.toFixed(1)} ${units[i]}`
}

export function duration(us: number): string {
  if (us >= 999.995e3) return `${(us / 1e6).toFixed(2)} s`
  if (us >= 999.95) return `${(us / 1e3).toFixed(2)} ms`
  if (us >= 9.995 || us === 0) return `${us.toFixed(1)} µs`
  return `${us.toFixed(2)} µs`
}

export function count(n: number): string {
  return n.toLocaleString('en-GB')
}

// big writes a large number with a metric prefix: 1.2 G.
export function big(n: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P']
  let i = 0
  for (; n >= 999.5 && i < units.length - 1; i++) n /= 1000
  return `${n >= 100 || i === 0 ? n.toFixed(0) : n.toFixed(1)}${units[i]}`
}

export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`
}

// change writes by how much a number fell or rose, in percent.
export function change(before: number, after: number): string {
  if (before === after || before === 0 || Math.abs(after - before) < before * 0.0005) return '±0 %'
  const p = (100 * (after - before)) / before
  const digits = Math.abs(p) < 9.95 ? 1 : 0
  return `${p < 0 ? '−' : '+'}${Math.abs(p).toFixed(digits)} %`
}

// ownName is a weight's name below its layer.
export function ownName(name: string, layer: number | undefined): string {
  if (layer === undefined) return name
  const at = '.{n}.'
  return name
    .split(' + ')
    .map((p) => {
      const i = p.indexOf(at)
      return i < 0 ? p : p.slice(i + at.length)
    })
    .join(' + ')
}
