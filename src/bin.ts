#!/usr/bin/env node
/**
 * The command. `--version` is answered here, so that it costs no more than the start of Node. Built to a CommonJS
 * file, see scripts/build.mjs.
 */
import { realEffects } from './effects.js'
import { version } from './version.js'

const effects = realEffects()
if (effects.args.length === 1 && /^(--version|-v)$/.test(effects.args[0] ?? '')) {
  void effects.stdout.write(`${version()}\n`)
} else {
  void import('./cli.js').then(async ({ run }) => effects.setExitCode(await run(effects)))
}
