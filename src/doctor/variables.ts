/** Whether the variables of the environment mean something: a misspelt one is otherwise silently nothing. */
import type { Finding } from './doctor.js'

/** Variables that are no option: of the storage, of the worker and of the droplet that runs it. See docs/cloud.md. */
const OTHERS = [
  'DO_SPACES_REGION',
  'DO_SPACES_ENDPOINT',
  'DO_SPACES_ACCESS_KEY',
  'DO_SPACES_SECRET_KEY',
  'DO_SPACES_INPUT_BUCKET',
  'DO_SPACES_ARCHIVE_BUCKET',
  'FOLD_INPUT_URL',
  'FOLD_ARCHIVE_URL',
  'FOLD_ALLOW_HTTP',
  'FOLD_TRANSFER_TIME',
  'FOLD_WORKER_ACCESS_KEY',
  'FOLD_WORKER_SECRET_KEY',
  'FOLD_LIFETIME',
  'FOLD_PACKAGE',
  'FOLD_LOG',
  'FOLD_ENV_FILE',
  'FOLD_ROOT',
  'FOLD_NODE_BIN',
]

/** Names those that mean nothing, with the known one that is most alike. */
export function checkVariables(
  env: Readonly<Record<string, string | undefined>>,
  options: ReadonlySet<string>,
): Finding[] {
  const known = new Set([...options, ...OTHERS])
  const ours = Object.keys(env).filter((name) => /^(?:FOLD|DO_SPACES)_/.test(name))
  const strange = ours.filter((name) => !known.has(name))
  const set = ours.filter((name) => known.has(name)).sort()
  return [
    {
      check: 'environment',
      state: 'ok',
      found: set.length > 0 ? `set: ${set.join(', ')}` : 'nothing is set',
    },
    ...strange.map((name): Finding => {
      const alike = mostAlike(name, known)
      const remedy = alike
        ? `did you mean ${alike}?`
        : 'take it away; fold-worker COMMAND --help names those that there are'
      return {
        check: 'environment',
        state: 'warning',
        found: `${name} means nothing to this program`,
        remedy,
      }
    }),
  ]
}

/** The name that takes fewest changes, if those are few. */
function mostAlike(name: string, known: ReadonlySet<string>): string | undefined {
  let best: string | undefined
  let least = Math.floor(name.length / 4) + 1
  for (const one of known) {
    const distance = changes(name, one)
    if (distance < least) [best, least] = [one, distance]
  }
  return best
}

/** How many letters have to be put in, taken out or changed. */
function changes(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
