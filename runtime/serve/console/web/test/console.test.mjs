// The console in headless Chromium, as a person uses it. SERVER is one that answers by a script (browser_test.go), LOCKED the
// same with the key "secret", LATE the same whose model is still loading, CHROMIUM the browser. SHOTS is a folder for screenshots.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'

const { SERVER: server, LOCKED: locked, LATE: late, SHOTS: shots } = process.env
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser
before(async () => {
  assert.ok(server && locked && late, 'SERVER, LOCKED and LATE are not set')
  if (shots) mkdirSync(shots, { recursive: true })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] })
})
after(() => browser?.close())

// open shows the console and fails the test for anything that it writes to the browser's console, and for any request to another server.
async function open(t, base = server, { expect = [], ...options } = {}) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, ...options })
  const trouble = []
  const record = (what) => {
    if (!expect.some((e) => what.includes(e))) trouble.push(what)
  }
  page.on('console', (m) => record(`${m.type()}: ${m.text()}`))
  page.on('pageerror', (e) => record(String(e)))
  page.on('request', (r) => {
    if (!r.url().startsWith(base) && !r.url().startsWith('blob:')) record(`asks for ${r.url()}`)
  })
  page.on('dialog', (d) => {
    record(`dialog: ${d.message()}`)
    d.dismiss()
  })
  t.after(async () => {
    await page.close()
    assert.deepEqual(trouble, [])
  })
  await page.goto(base)
  await page.waitForSelector('html[data-ready]')
  return page
}

const tab = (page, name) => page.getByRole('tab', { name }).click()
const message = (page) => page.getByRole('textbox', { name: /^(Message|Result)/ })
const status = (page) => page.locator('#status')
const shot = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) })

async function say(page, text) {
  await message(page).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

const seen = async () => (await (await fetch(`${server}/seen`)).json()).map((b) => JSON.parse(b))

async function accessible(page, what) {
  await page.evaluate(axe) // as the browser's tools would: the page's policy lets no script in
  const { violations } = await page.evaluate(() => window.axe.run())
  assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), [])
}

test('a conversation: what is sent, what comes back, and how long it took', async (t) => {
  const page = await open(t)
  assert.equal(await page.locator('#model').textContent(), '<b>glm</b>')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('System prompt').fill('Be brief.')
  await page.getByLabel('Temperature').fill('0.5')
  await page.getByLabel('Most tokens').fill('77')
  await page.getByLabel('Thinking').selectOption('off')
  await say(page, 'hello')
  await page.getByText('You said: hello').waitFor()
  await page.getByText(/^Done · 11 \+ 5 tokens · first after \d+ ms/).waitFor()
  await message(page).fill('again')
  await message(page).press('Enter')
  await page.getByText('You said: again').waitFor()
  const body = (await seen()).at(-1)
  assert.deepEqual(body, {
    model: '<b>glm</b>',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'You said: hello' },
      { role: 'user', content: 'again' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.5,
    max_tokens: 77,
    chat_template_kwargs: { enable_thinking: false },
  })
  await shot(page, 'chat-settings')
  // Settings stay when the page is loaded again, the conversation does not.
  await page.reload()
  await page.waitForSelector('html[data-ready]')
  assert.equal(await page.locator('#temperature').inputValue(), '0.5')
  assert.equal(await page.getByRole('article').count(), 0)
})

test('a model that is still loading', async (t) => {
  const page = await open(t, late, { expect: ['503'] })
  assert.equal(await page.locator('#notice').textContent(), 'the model is loading: /ready says when it is there')
  await page.getByText('<b>glm</b>').waitFor()
  assert.equal(await page.locator('#notice').isVisible(), false)
  await say(page, 'hello')
  await page.getByText('You said: hello').waitFor()
})

test('a reply is text, whatever it holds', async (t) => {
  const page = await open(t)
  await say(page, 'hostile')
  await page.getByText('after', { exact: true }).waitFor()
  const reply = page.getByRole('article', { name: 'Model' })
  assert.equal(await reply.locator('img, script, b, a, strong').count(), 0)
  assert.equal(await reply.locator('pre code').textContent(), '<b>code</b>')
  assert.match(await reply.locator('.words').nth(1).textContent(), /<img src=x onerror=alert\(1\)><script>.*\*\*bold\*\*/)
  await shot(page, 'hostile')
})

test('thinking is folded', async (t) => {
  const page = await open(t)
  await say(page, 'think')
  await page.getByText('42', { exact: true }).waitFor()
  const thought = page.getByText('Let me <em>think</em> about it.')
  assert.equal(await thought.isVisible(), false)
  await page.getByText(/^Thought \(\d+ characters\)$/).click()
  assert.equal(await thought.isVisible(), true)
  await shot(page, 'thinking')
})

test('tool calls are shown, and their results go back together', async (t) => {
  const page = await open(t)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('Tools').fill('[{"type":"function","function":{"name":"read_file"}}]')
  await say(page, 'tools')
  await page.getByText('calls read_file').waitFor()
  await page.getByText('"path": "a.go"').waitFor()
  await page.getByLabel('Result of read_file').waitFor()
  await shot(page, 'tools')
  await say(page, 'package a')
  await page.getByLabel('Result of list_files').waitFor()
  await say(page, 'a.go b.go')
  await page.getByText('The tool said: a.go b.go').waitFor()
  const body = (await seen()).at(-1)
  assert.deepEqual(body.tools, [{ type: 'function', function: { name: 'read_file' } }])
  assert.deepEqual(body.messages.slice(1), [
    {
      role: 'assistant',
      content: '',
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{"path":"a.go"}' } },
        { id: 'call_2', type: 'function', function: { name: 'list_files', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'package a' },
    { role: 'tool', tool_call_id: 'call_2', content: 'a.go b.go' },
  ])
})

test('a reply is shown as it comes, and can be stopped', async (t) => {
  const page = await open(t)
  await say(page, 'forever')
  await page.getByText('word20 ').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Send' }).isDisabled(), true)
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByText(/^Stopped/).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Send' }).isDisabled(), false)
  await say(page, 'go on')
  await page.getByText('You said: go on').waitFor()
  const { messages } = (await seen()).at(-1)
  assert.match(messages[1].content, /^word0 word1 /) // what there was counts
  await page.getByRole('button', { name: 'New conversation' }).click()
  assert.equal(await page.getByRole('article').count(), 0)
  await say(page, 'fresh')
  await page.getByText('You said: fresh').waitFor()
  assert.equal((await seen()).at(-1).messages.length, 1)
})

test('errors are told: of a request, within a stream, of settings', async (t) => {
  const page = await open(t, server, { expect: ['429'] })
  await say(page, 'fail')
  await page.getByRole('alert').getByText('<i>busy</i>: try again later').waitFor()
  await say(page, 'break')
  await page.getByRole('alert').getByText('the engine failed').waitFor()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('Tools').fill('{')
  await say(page, 'hello')
  assert.match(await status(page).textContent(), /^Tools: /)
  assert.equal(await message(page).inputValue(), 'hello')
  await page.getByLabel('Tools').fill('')
  await page.getByLabel('Temperature').fill('9')
  await page.getByRole('button', { name: 'Send' }).click()
  assert.match(await status(page).textContent(), /^Temperature: /)
})

test('a key is asked for, sent, and kept for the tab only', async (t) => {
  const page = await open(t, locked, { expect: ['401', 'Content Security Policy'] })
  await page.getByText('This server wants an API key.').waitFor()
  const key = page.getByLabel('API key')
  await key.fill('secret')
  await key.press('Tab')
  await page.getByText('<b>glm</b>').waitFor()
  assert.equal(await page.locator('#notice').isHidden(), true)
  await say(page, 'hello')
  await page.getByText('You said: hello').waitFor()
  assert.equal(await page.evaluate(() => sessionStorage.getItem('glmc.key')), 'secret')
  assert.equal(await page.evaluate(() => localStorage.length), 0)
  await page.keyboard.press('Escape')
  await tab(page, 'Plan')
  await page.frameLocator('iframe').getByText('the plan is drawn').waitFor()
})

test('metrics: gauges, rates and means', async (t) => {
  const page = await open(t)
  await tab(page, 'Metrics')
  await page.getByText('running 3').waitFor()
  await page.getByText('waiting 1').waitFor()
  await page.getByText('in use 42%').waitFor()
  await page.getByText('mean 250 ms').waitFor() // a second later
  const tokens = page.getByRole('img', { name: /^Tokens a second: generated \d+, of prompts \d+$/ })
  await tokens.waitFor()
  const [, generated] = /generated (\d+)/.exec(await tokens.getAttribute('aria-label'))
  assert.ok(generated > 10 && generated <= 41, `${generated} tokens/s of 40`)
  await page.waitForTimeout(2500)
  await shot(page, 'metrics')
})

test("the plan's page is shown in a frame of its own, which runs its script and no other", async (t) => {
  const page = await open(t, server, { expect: ['Content Security Policy'] })
  await tab(page, 'Plan')
  const frame = page.frameLocator('iframe[title="The plan"]')
  await frame.getByText('the plan is drawn; apart').waitFor()
  assert.equal(await frame.locator('body').evaluate((b) => getComputedStyle(b).color), 'rgb(0, 128, 0)')
  assert.equal(page.url(), `${server}/#plan`)
})

test('tabs work with the keyboard, and the address names the view', async (t) => {
  const page = await open(t)
  await page.getByRole('tab', { name: 'Chat' }).focus()
  await page.keyboard.press('ArrowRight')
  assert.equal(await page.getByRole('tab', { name: 'Metrics' }).getAttribute('aria-selected'), 'true')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-metrics')
  await page.reload()
  await page.waitForSelector('html[data-ready]')
  assert.equal(await page.locator('#metrics').isVisible(), true)
})

for (const colorScheme of ['light', 'dark']) {
  test(`accessible in ${colorScheme}, wide and narrow`, async (t) => {
    for (const width of [1200, 360]) {
      const page = await open(t, server, { colorScheme, viewport: { width, height: 740 } })
      await say(page, 'think')
      await page.getByText('42', { exact: true }).waitFor()
      await say(page, 'hostile')
      await page.getByText('after', { exact: true }).waitFor()
      await say(page, 'tools')
      await page.getByText('calls read_file').waitFor()
      await page.getByText(/The model calls tools/).waitFor()
      await accessible(page, `chat ${width}`)
      await shot(page, `chat-${colorScheme}-${width}`)
      await page.getByRole('button', { name: 'Settings' }).click()
      await accessible(page, `settings ${width}`)
      await shot(page, `settings-${colorScheme}-${width}`)
      await page.getByRole('button', { name: 'Settings' }).click()
      await tab(page, 'Metrics')
      await page.getByText('running 3').waitFor()
      await accessible(page, `metrics ${width}`)
      await shot(page, `metrics-${colorScheme}-${width}`)
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.equal(overflow, 0, `at ${width} the page is wider than the screen`)
    }
  })
}
