/** What is published, as it is built in dist/; scripts/pack-test.mjs installs it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import * as source from '../src/index.js'
import { GLIBC_FLOOR } from '../src/platform.js'
import { temporary } from './support/world.js'

const require = createRequire(import.meta.url)
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  dependencies?: Record<string, string>
  exports: { '.': Record<'import' | 'require', Record<'types' | 'default', string>> }
}

test('import and require give one library, with all that the sources export', async (t) => {
  const imported = (await import(pathToFileURL(resolve('dist/index.js')).href)) as typeof source
  const required = require(resolve('dist/index.cjs')) as typeof source
  t.deepEqual(Object.keys(imported).sort(), Object.keys(source).sort())
  t.is(imported.FoldError, required.FoldError)
})

test('every file that package.json names for the library is there', (t) => {
  for (const way of Object.values(manifest.exports['.']))
    for (const path of Object.values(way)) t.true(existsSync(path), path)
})

test('a search loads none of the packages that only cloud work needs', (t) => {
  const script = `
    const { search } = require(${JSON.stringify(resolve('dist/index.cjs'))})
    search({ text: 'a b. c d. a c. b d.', name: 'tiny' }, { out: 'tiny.bin' }).then(({ orthoCount }) => {
      console.log(JSON.stringify([orthoCount, Object.keys(require.cache)]))
    })`
  const said = execFileSync(process.execPath, ['-e', script], { cwd: temporary(t), encoding: 'utf8' })
  const [count, loaded] = JSON.parse(said) as [number, string[]]
  t.is(count, 1)
  t.true(loaded.some((path) => path.endsWith('index.cjs')))
  t.deepEqual(
    loaded.filter((path) => path.includes('node_modules')),
    [],
  )
})

test('the command loads none of them either', (t) => {
  const tell =
    'data:text/javascript,import{createRequire}from"node:module";const c=createRequire("file:///x").cache;'
  const hook = `${tell}process.on("exit",()=>console.error(JSON.stringify(Object.keys(c))))`
  const script = `${JSON.stringify(process.execPath)} --import '${hook}' ${resolve('dist/bin.cjs')} search - --out tiny.bin 2>&1`
  const said = execFileSync('sh', ['-c', script], {
    cwd: temporary(t),
    input: 'a b. c d. a c. b d.',
    encoding: 'utf8',
  })
  const loaded = JSON.parse(said.trim().split('\n').at(-1) ?? '') as string[]
  t.true(loaded.some((path) => path.endsWith('cli.cjs')))
  t.deepEqual(
    loaded.filter((path) => path.includes('node_modules')),
    [],
  )
})

test('the scripts hold builds to the glibc that the loader promises', async (t) => {
  const targets = pathToFileURL(resolve('scripts/lib/targets.mjs')).href
  t.is(((await import(targets)) as { GLIBC_FLOOR: string }).GLIBC_FLOOR, GLIBC_FLOOR)
})

test('the licences of all code in the bundles are passed on', (t) => {
  const text = readFileSync('dist/THIRD_PARTY_LICENSES.txt', 'utf8')
  t.regex(text, /^clipanion \d/m)
})

test('the crates have the version of the package', (t) => {
  t.is(/^version = "(.*)"$/m.exec(readFileSync('Cargo.toml', 'utf8'))?.[1], manifest.version)
})

test('what is left to be loaded when it is needed can be had by require, in every Node that is supported', (t) => {
  const { dependencies = {} } = manifest
  t.true(Object.keys(dependencies).length > 0)
  for (const name of Object.keys(dependencies)) {
    // Node before 20.19 cannot require an ES module: what has no other form belongs in the bundle, as a devDependency.
    const file = require.resolve(name)
    let directory = dirname(file)
    while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
    const { type } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { type?: string }
    t.true(file.endsWith('.cjs') || (type !== 'module' && !file.endsWith('.mjs')), name)
  }
})
