import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { definitions } from '../../src/cli.js'
import { EXIT_CODES } from '../../src/errors.js'
import { reference } from '../../src/reference/markdown.js'
import { VARIABLES } from '../../src/reference/variables.js'

const VARIABLE = /['"`$.]((?:FOLD|DO_SPACES)_[A-Z_]+|INPUT_FILE|LOCAL_STATE_DIR)\b/g

/** `--out #0` without its value. */
function nameOf(definition: string): string {
  return definition.split(' ', 1).join()
}

/** Names of variables in the sources, but for those of the documentation. */
function variablesRead(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  const sources = files.filter((name) => name.endsWith('.ts') && !/^reference\b/.test(name))
  const names = sources.flatMap((name) => {
    const code = readFileSync(join('src', name), 'utf8')
    return [...code.matchAll(VARIABLE)].map(([, variable]) => variable ?? '')
  })
  return [...new Set(names)].sort()
}

test('docs/reference.md is what the code says (npm run docs:reference writes it)', (t) => {
  t.is(readFileSync('docs/reference.md', 'utf8'), reference(definitions()))
})

test('the page has every command with every option, and every code', (t) => {
  const page = reference(definitions())
  for (const { path, options } of definitions()) {
    t.true(page.includes(`### \`${path}\``), path)
    for (const { definition } of options) t.true(page.includes(`| \`${nameOf(definition)}`), definition)
  }
  for (const [code, exit] of Object.entries(EXIT_CODES))
    t.true(page.includes(`| ${exit} | \`${code}\` |`), code)
})

test('every option says what it does', (t) => {
  for (const { path, options } of definitions())
    for (const { definition, description } of options) t.truthy(description, `${path} ${definition}`)
})

test('the variables of the page are those that the sources name', (t) => {
  t.deepEqual(VARIABLES.map(({ name }) => name).sort(), variablesRead())
})
