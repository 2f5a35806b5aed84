/** Whether the variables of the environment mean something: a misspelt one is otherwise silently nothing. */
import { VARIABLES } from '../reference/variables.js'
import type { Finding } from './doctor.js'

/** Those of the script that starts a worker on a droplet. */
const OF_DROPLETS = /^FOLD_(?:LIFETIME|PACKAGE|LOG|ENV_FILE|ROOT|NODE_BIN)$/

/** Names those that mean nothing, with the known one that is most alike. */
export function checkVariables(
  env: Readonly<Record<string, string | undefined>>,
  options: ReadonlySet<string>,
): Finding[] {
  const known = new Set([...options, ...VARIABLES.map(({ name }) => name)])
  const ours = Object.keys(env).filter((name) => /^(?:FOLD|DO_SPACES)_/.test(name) && !OF_DROPLETS.test(name))
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
