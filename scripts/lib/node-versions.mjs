/* oxlint-disable node/no-process-env -- for scripts */
// Node in other versions and for other processors, from the npm registry, where they are packages like any other.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The directory with the program `node` of a version; kept in the user's cache. */
export function nodeOf(version, platform = `${process.platform}-${process.arch}`) {
  const { XDG_CACHE_HOME } = process.env
  const home = join(
    XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'fold-worker-tools',
    `node-${platform}-${version}`,
  )
  const directory = join(home, 'node_modules', `node-${platform}`, 'bin')
  if (!existsSync(join(directory, 'node'))) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{"private":true}')
    const what = `node-${platform}@${version}`
    execFileSync('npm', ['install', '--force', '--no-save', '--no-audit', '--no-fund', what], {
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  return directory
}
