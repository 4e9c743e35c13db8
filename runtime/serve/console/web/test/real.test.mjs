// The console of a server with a model: REAL is the address of a `glmc serve` with the bundled model. SHOTS is a folder for
// screenshots. What the page does with all that a server may say is in console.test.mjs.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'

const { REAL: server, SHOTS: shots } = process.env
const shot = async (page, name) => shots && page.screenshot({ path: join(shots, `real-${name}.png`) })

let browser
before(async () => {
  assert.ok(server, 'REAL is not set')
  if (shots) mkdirSync(shots, { recursive: true })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] })
})
after(() => browser?.close())

test('a conversation with the bundled model, its metrics, and its plan', async (t) => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  const trouble = []
  page.on('console', (m) => trouble.push(`${m.type()}: ${m.text()}`))
  page.on('pageerror', (e) => trouble.push(String(e)))
  t.after(() => page.close())
  await page.goto(server)
  await page.waitForSelector('html[data-ready]')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('System prompt').fill('You are a coding agent for Go projects. Use the tools to read and edit files, and run the tests before you answer.')
  await page.getByLabel('Tools').fill(JSON.stringify([{ type: 'function', function: { name: 'read_file', description: 'Read a file of the project.', parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] } } }]))
  await page.getByLabel('Most tokens').fill('200')
  await page.getByLabel('Temperature').fill('0')
  await page.getByRole('textbox', { name: 'Message' }).fill('Please make Put return an error for an empty key in server/cache/cache.go.')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.locator('#status').getByText(/tokens\/s$/).waitFor()
  await page.getByText('calls read_file').waitFor()
  await page.getByText('"path": "server/cache/cache.go"').waitFor()
  await page.getByText(/^Thought \(/).click()
  await shot(page, 'chat')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('tab', { name: 'Metrics' }).click()
  await page.getByRole('img', { name: 'Requests: running 0, waiting 0' }).waitFor()
  await page.getByText(/^in use [0-9.]+%$/).waitFor()
  await shot(page, 'metrics')
  await page.getByRole('tab', { name: 'Plan' }).click()
  await page.frameLocator('iframe').getByText('Kernel launches a step').waitFor()
  await shot(page, 'plan')
  assert.deepEqual(trouble, [])
})
