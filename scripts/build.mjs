// Builds dist/: the library for import and for require, with declarations for both, and the command as two CommonJS files.
//
// All are bundles: one file is read several times faster than the hundred that clipanion consists of. The command is
// CommonJS because setting up Node's loader of ES modules costs it another 10 ms, as much as the search of a chapter.
//
// The library is one CommonJS bundle, and dist/index.js names its exports for import: a program that uses both gets one
// library, in which `instanceof FoldError` holds.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import { thirdPartyLicenses } from './lib/licenses.mjs'

const require = createRequire(import.meta.url)
const COMMON = {
  bundle: true,
  format: 'cjs',
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  // What only cloud work needs stays in node_modules, to be read when it is needed.
  external: Object.keys(require('../package.json').dependencies ?? {}).flatMap((name) => [name, `${name}/*`]),
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  // import() would start the loader of ES modules; it becomes a require() at the same place.
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
  metafile: true,
}

rmSync('dist', { recursive: true, force: true })
const library = await build({ ...COMMON, entryPoints: ['src/index.ts'] })
const command = await build({
  ...COMMON,
  // Two entries: the first answers --version without reading the second.
  entryPoints: ['src/bin.ts', 'src/cli.ts'],
  plugins: [
    {
      name: 'cli apart',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\/cli\.js$/ }, () => ({ path: './cli.cjs', external: true }))
      },
    },
  ],
})
chmodSync('dist/bin.cjs', 0o755)
writeFileSync('dist/index.js', reExports(Object.keys(require('../dist/index.cjs'))))
writeFileSync('dist/THIRD_PARTY_LICENSES.txt', thirdPartyLicenses([library.metafile, command.metafile]))

const tsc = require.resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.types.json'], { stdio: 'inherit' })
// The same declarations once more, as those of a CommonJS module: TypeScript goes by the nearest package.json.
cpSync('dist/types', 'dist/require', { recursive: true })
writeFileSync('dist/require/package.json', '{ "type": "commonjs" }\n')

function reExports(names) {
  return `export { ${names.sort().join(', ')} } from './index.cjs'\n`
}
