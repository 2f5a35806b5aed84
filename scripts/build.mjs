// Builds dist/: the library and the command bundled with what they import (one file is read several times faster than
// the hundred that clipanion consists of), and the declarations.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/index.ts', 'src/bin.ts'],
  outdir: 'dist',
  bundle: true,
  // The command loads its parts on demand, and shares them with the library.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // The addon's loader stays a file of its own, at the same place relative to dist/ as to src/.
  external: ['../native/addon/index.js'],
  // Clipanion is CommonJS and requires a built-in module.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.types.json'], { stdio: 'inherit' })
chmodSync('dist/bin.js', 0o755)
