// The page in headless Chromium, as a person uses it. PAGES is a folder with glm-4.7.html, measured.html and plan.html
// (.ci/run makes them), CHROMIUM the browser.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const pages = process.env.PAGES
const shots = process.env.SHOTS // a folder for screenshots
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const views = ['overview', 'passes', 'graph', 'memory', 'timeline', 'cost']

let browser
before(async () => {
  assert.ok(pages, 'PAGES is not set')
  if (shots) mkdirSync(shots, { recursive: true })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] })
})
after(() => browser?.close())

// open shows a page and fails the test for anything that it writes to the console or asks the network for.
async function open(t, name, hash = '', options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options })
  const trouble = []
  page.on('console', (m) => trouble.push(`${m.type()}: ${m.text()}`))
  page.on('pageerror', (e) => trouble.push(String(e)))
  page.on('request', (r) => {
    if (!r.url().startsWith('file:')) trouble.push(`asks for ${r.url()}`)
  })
  page.on('dialog', (d) => {
    trouble.push(`dialog: ${d.message()}`)
    d.dismiss()
  })
  t.after(async () => {
    await page.close()
    assert.deepEqual(trouble, [])
  })
  await page.goto(`file://${join(pages, name)}#${hash}`)
  await page.waitForSelector('html[data-ready]')
  return page
}

const tab = (page, name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name, exact: true }).click()
const rail = (page, name) => page.getByRole('navigation', { name: 'Passes' }).getByRole('button', { name }).click()

test('opens with the numbers of GLM-4.7, and says how fast', async (t) => {
  const page = await open(t, 'glm-4.7.html')
  await page.getByText('Kernel launches a step').waitFor()
  const ready = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domInteractive)
  const size = readFileSync(join(pages, 'glm-4.7.html')).length
  t.diagnostic(`${size} bytes; drawn ${Math.round(ready)} ms after the navigation began`)
  assert.ok(size < 5 << 20)
  assert.equal(await page.getByRole('table').first().getByRole('row').count() > 5, true)
})

test('search: the slash, the arrows, Enter', async (t) => {
  const page = await open(t, 'glm-4.7.html')
  await page.keyboard.press('/')
  await page.keyboard.type('o_proj')
  await page.getByRole('option').first().waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.locator('.journey h2 .value').waitFor()
  assert.match(page.url(), /value=\d+/)
  await page.keyboard.press('/')
  await page.keyboard.type('fold_shared_expert')
  await page.keyboard.press('Enter')
  assert.equal(await page.locator('.pass-title h1').textContent(), 'fold_shared_expert')
  await page.keyboard.press('/')
  await page.keyboard.type('no such thing at all')
  await page.getByText('Nothing of that name').waitFor()
  await page.keyboard.press('Escape')
})

test('a value: through every pass, and into the source', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=passes')
  await rail(page, /^fuse_qknorm_rope_kv/)
  const rope = page.locator('.cell.del .line', { has: page.locator('b', { hasText: 'rope.apply' }) }).first()
  await rope.locator('.value').first().click()
  const journey = page.locator('.journey')
  await journey.getByText('became part of').waitFor()
  await journey.locator('.fate', { hasText: 'became part of' }).getByText('attn.qknorm_rope_kv').waitFor()
  const line = page.locator('.source .row.on code')
  assert.match(await line.textContent(), /rope\(/)
  const value = await journey.locator('h2 .value').textContent()
  // The fused operator's value goes on, and changes its type where the heads are split over ranks.
  await journey.locator('.fate .reader .value').first().click()
  assert.notEqual(await journey.locator('h2 .value').textContent(), value)
  await journey.locator('.fate', { hasText: 'shard_tensor_parallel' }).locator('ins').waitFor()
  await journey.getByRole('button', { name: 'shard_tensor_parallel' }).click()
  assert.equal(await page.locator('.pass-title h1').textContent(), 'shard_tensor_parallel')
  await page.goBack()
  assert.equal(await page.locator('.pass-title h1').textContent(), 'fuse_qknorm_rope_kv')
})

test('the source: a line leads to its values', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=passes')
  await page.locator('.source button.num').first().click()
  await page.locator('.journey h2 .value').waitFor()
})

test('keys: the next pass that changed something', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=passes')
  const title = () => page.locator('.pass-title h1').textContent()
  await rail(page, /^fold_shared_expert/)
  await page.getByRole('button', { name: 'layers 3..91, 89 x', exact: true }).first().click()
  assert.equal(await title(), 'fold_shared_expert')
  await page.keyboard.press(']')
  const next = await title()
  assert.notEqual(next, 'fold_shared_expert')
  assert.equal(await page.locator('.rail .pass.on.quiet').count(), 0)
  await page.keyboard.press('[')
  assert.equal(await title(), 'fold_shared_expert')
})

test('columns: one for each pass, unchanged ones folded', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=passes')
  await page.getByRole('button', { name: 'All columns' }).click()
  assert.ok((await page.locator('.column').count()) > 5)
  assert.ok((await page.locator('.strip').count()) > 0)
})

test('a drawing before and after, for another layer', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=graph')
  await rail(page, /^fuse_route/)
  await page.getByText('before fuse_route').waitFor()
  assert.ok((await page.locator('.box.m-removed').count()) > 2)
  assert.deepEqual((await page.locator('.box.m-added .op').allTextContents()).sort(), ['linear.f32', 'moe.route'])
  await page.locator('.toolbar select').selectOption({ label: 'layer 0' })
  await page.getByText('leaves this as it is').waitFor()
  await page.locator('.box').nth(3).focus()
  await page.keyboard.press('Enter')
  await page.locator('.journey h2 .value').waitFor()
})

test('memory: buffers by step and offset, by bucket', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=memory')
  const first = await page.locator('.fact strong').first().textContent()
  await page.locator('.pickers label', { hasText: 'Step' }).locator('select').selectOption({ label: 'decode 256' })
  assert.notEqual(await page.locator('.fact strong').first().textContent(), first)
  await page.locator('.piece rect').first().hover()
  await page.getByRole('tooltip').getByText('steps').waitFor()
  await page.getByRole('button', { name: 'Whole step' }).click()
  assert.ok((await page.locator('.piece').count()) > 1000)
  await page.getByRole('slider').focus()
  await page.keyboard.press('+')
  const before = await page.locator('.piece').count()
  await page.keyboard.press('+')
  await page.waitForFunction((n) => document.querySelectorAll('.piece').length < n, before)
})

test('timeline: a step on the time axis', async (t) => {
  const page = await open(t, 'glm-4.7.html', 'view=timeline')
  await page.locator('.piece rect').first().click()
  await page.locator('.journey h2 .value').waitFor()
})

test('cost: measured beside predicted', async (t) => {
  const page = await open(t, 'measured.html', 'view=cost')
  await page.getByText('Measured on cpu').waitFor()
  const row = page.locator('table.costs').first().locator('tbody tr').first()
  assert.match(await row.textContent(), /×/)
  await page.getByRole('button', { name: 'Measured' }).first().click()
})

test('a plan without its source', async (t) => {
  const page = await open(t, 'plan.html')
  await page.getByText('made from a plan without its source').waitFor()
  for (const v of views) {
    await tab(page, v[0].toUpperCase() + v.slice(1))
    await page.locator('main').waitFor()
  }
})

// edited writes a page whose document was changed.
function edited(from, to, change) {
  const text = readFileSync(join(pages, from), 'utf8')
  const start = text.indexOf('id="data">') + 'id="data">'.length
  const end = text.indexOf('</script>', start)
  const doc = JSON.stringify(change(JSON.parse(text.slice(start, end)))).replaceAll('<', '\\u003c')
  writeFileSync(join(pages, to), text.slice(0, start) + doc + text.slice(end))
}

test('streams: a lane for each, and what waits', async (t) => {
  edited('measured.html', 'streams.html', (d) => {
    const track = d.tracks[0]
    track.program.forEach((p, i) => {
      if (i % 7 === 3) Object.assign(p, { t: 1, w: [i - 1] })
      if (i % 7 === 5) Object.assign(p, { w: [i - 2] })
    })
    return d
  })
  const page = await open(t, 'streams.html', 'view=timeline')
  assert.equal(await page.locator('.lane').count(), 2)
  await page.getByRole('button', { name: 'Whole step' }).click()
  assert.ok((await page.locator('.wait').count()) > 5)
})

// Every text of the document becomes hostile; nothing of it may run, and all views have to stand it.
test('hostile names', async (t) => {
  const evil = `</script><img src=x onerror="alert(1)"><svg onload="alert(2)"><a href="javascript:alert(3)">`
  const plain = new Set(['family', 'phase', 'numeric', 'entry', 'variant', 'buckets'])
  const spoil = (x, key) =>
    typeof x === 'string' ? (plain.has(key) || x === 'state' ? x : x + evil) : Array.isArray(x) ? x.map((y) => spoil(y, key)) : x && typeof x === 'object' ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, spoil(v, k)])) : x
  edited('measured.html', 'hostile.html', (d) => spoil(d, ''))
  const page = await open(t, 'hostile.html')
  for (const v of views) {
    await tab(page, v[0].toUpperCase() + v.slice(1))
    await page.locator('main').waitFor()
    assert.equal(await page.locator('img').count(), 0)
    assert.equal(await page.locator('a[href^="javascript"]').count(), 0)
  }
  await tab(page, 'Passes')
  await page.locator('.value').first().click()
  await page.keyboard.press('/')
  await page.keyboard.type('norm')
  await page.getByRole('option').first().waitFor()
  assert.equal(await page.locator('img').count(), 0)
})

// An address is not trusted either.
test('addresses that lead nowhere', async (t) => {
  for (const hash of ['view=nothing&stage=999&track=77&bucket=55&section=44&value=123456789&line=99999&file=9', 'view=graph&stage=-1&value=x', '%%%']) {
    const page = await open(t, 'glm-4.7.html', hash)
    await page.locator('main').waitFor()
  }
})

for (const scheme of ['light', 'dark']) {
  test(`accessible, ${scheme}`, async (t) => {
    const page = await open(t, 'glm-4.7.html', '', { colorScheme: scheme })
    for (const v of views) {
      await tab(page, v[0].toUpperCase() + v.slice(1))
      await page.locator('main').waitFor()
      await page.waitForTimeout(300)
      if (shots) await page.screenshot({ path: join(shots, `${v}-${scheme}.png`) })
      // The policy lets nothing in but through the debugger.
      await page.evaluate(axe)
      const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }))
      assert.deepEqual(found.violations.map((x) => `${v}: ${x.id}: ${x.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join('\n')}`), [])
    }
  })
}

test('narrow and wide', async (t) => {
  for (const viewport of [{ width: 390, height: 844 }, { width: 900, height: 700 }, { width: 1920, height: 1080 }]) {
    const page = await open(t, 'glm-4.7.html', 'view=passes', { viewport })
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(over <= 0, `${viewport.width}: ${over} pixels too wide`)
    if (shots) await page.screenshot({ path: join(shots, `passes-${viewport.width}.png`) })
  }
})
