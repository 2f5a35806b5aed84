// Builds dist/: the library as an ES module with its declarations, and the command as two CommonJS files.
//
// Both are bundles: one file is read several times faster than the hundred that clipanion consists of. The command is
// CommonJS because setting up Node's loader of ES modules costs it another 10 ms, as much as the search of a chapter.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'

const COMMON = {
  bundle: true,
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  // The addon's loader stays a file of its own, at the same place relative to dist/ as to src/.
  // What only cloud work needs stays in node_modules, to be read when it is needed.
  external: ['../native/addon/index.cjs', '@aws-sdk/*', '@mongodb-js/zstd', 'tar'],
  logLevel: 'warning',
}

rmSync('dist', { recursive: true, force: true })
await build({ ...COMMON, entryPoints: ['src/index.ts'], format: 'esm', splitting: true })
await build({
  ...COMMON,
  // Two entries: the first answers --version without reading the second.
  entryPoints: ['src/bin.ts', 'src/cli.ts'],
  format: 'cjs',
  plugins: [
    {
      name: 'cli apart',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\/cli\.js$/ }, () => ({ path: './cli.cjs', external: true }))
      },
    },
  ],
  // import() would start the loader of ES modules; it becomes a require() at the same place.
  supported: { 'dynamic-import': false },
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
})
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.types.json'], { stdio: 'inherit' })
chmodSync('dist/bin.cjs', 0o755)
