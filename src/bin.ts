#!/usr/bin/env node
/** The command. `--version` is answered here, so that it costs no more than the start of Node. */
import { realEffects } from './effects.js'
import { version } from './version.js'

const effects = realEffects()
if (effects.args.length === 1 && /^(--version|-v)$/.test(effects.args[0] ?? '')) {
  await effects.stdout.write(`${version()}\n`)
} else {
  const { run } = await import('./cli.js')
  effects.setExitCode(await run(effects))
}
