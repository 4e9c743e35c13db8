// Bundles the page: dist/page.js and dist/page.css, which glmc embeds, and dist/licences.txt, the licences of the
// libraries that lie in the bundle. `npm run build`; nothing is minified, so that what is committed can be read.
import { build } from 'esbuild'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(process.argv[2] ?? join(here, 'dist'))

const result = await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/main.tsx' },
  outdir: out,
  bundle: true,
  format: 'iife',
  target: ['es2022'],
  charset: 'ascii',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  preserveSymlinks: true, // the bundle names its files by where they stand here, wherever node_modules really lies
  legalComments: 'none', // dist/licences.txt has the whole texts
  metafile: true,
  logLevel: 'warning',
})

const packages = new Set()
for (const file of Object.keys(result.metafile.inputs)) {
  const path = file.split('node_modules/').at(-1)
  if (path === file) continue
  const parts = path.split('/')
  packages.add(parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0])
}
// dagre comes as one file with its graph library in it.
if (packages.has('@dagrejs/dagre')) packages.add('@dagrejs/graphlib')

let text = ''
for (const name of [...packages].sort()) {
  const dir = join(here, 'node_modules', name)
  const about = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'))
  const file = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f))
  if (!file) throw new Error(`${name} has no licence file`)
  const licence = readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n').trim()
  text += `${name} ${about.version} (${about.license})\n\n${licence.replaceAll('--', '- -')}\n\n${'='.repeat(72)}\n\n`
}
writeFileSync(join(out, 'licences.txt'), text)

// What ends the elements that the texts are put into must not be in them.
for (const [file, end] of [['page.js', '</script'], ['page.js', '<!--'], ['page.css', '</style'], ['licences.txt', '--']]) {
  if (readFileSync(join(out, file), 'utf8').toLowerCase().includes(end)) throw new Error(`${out}${sep}${file} holds ${end}`)
}
