/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// Builds the native part as it is published, for one platform or more:
//
//   node scripts/prebuild.mjs linux-x64-gnu linux-x64-musl linux-arm64-gnu
//
// Those for Linux are linked by zig against the C library that they are for, so they come out the same on any machine
// that has zig and cargo-zigbuild (scripts/install-zig.sh) and the target's standard library of Rust
// (`rustup target add`). Those for macOS and Windows need a machine of that kind. What comes out is checked.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { BUILT, GLIBC_FLOOR, TARGETS, napiCli } from './lib/targets.mjs'

const wanted = process.argv.slice(2)
const targets = TARGETS.filter(({ name }) => wanted.includes(name))
if (targets.length === 0 || targets.length !== wanted.length) {
  console.error(
    `usage: node scripts/prebuild.mjs PLATFORM...; platforms: ${TARGETS.map((t) => t.name).join(' ')}`,
  )
  process.exit(2)
}

const tools = mkdtempSync(join(tmpdir(), 'fold-prebuild-'))
try {
  for (const target of targets) {
    console.log(`building ${target.name}`)
    execFileSync('rustup', ['target', 'add', target.triple], { stdio: 'inherit' })
    const build = ['build', '--platform', '--release', '--manifest-path', 'native/binding/Cargo.toml']
    const to = ['--output-dir', BUILT, '--no-js', '--dts', 'index.d.cts']
    const how = target.os === 'linux' ? ['--cross-compile'] : []
    const triple = target.abi === 'gnu' ? `${target.triple}.${GLIBC_FLOOR}` : target.triple
    execFileSync(process.execPath, [napiCli(), ...build, ...to, '--target', triple, ...how], {
      stdio: 'inherit',
      env: { ...process.env, PATH: `${withZig(tools)}${delimiter}${process.env.PATH}` },
    })
  }
} finally {
  rmSync(tools, { recursive: true })
}
const files = targets.map(({ file }) => join(BUILT, file))
execFileSync(process.execPath, ['scripts/check-binary.mjs', ...files], { stdio: 'inherit' })

/** The package `ziglang` has its program under the name `python-zig`; @napi-rs/cli looks for `zig`. */
function withZig(directory) {
  if (process.platform !== 'win32') {
    const path = join(directory, 'zig')
    writeFileSync(path, '#!/bin/sh\nexec python-zig "$@"\n')
    chmodSync(path, 0o755)
  }
  return directory
}
