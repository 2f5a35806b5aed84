/** `fold-worker doctor`: what could keep the program from working here. */
import { Command, Option } from 'clipanion'
import { describeFindings, diagnose, problemsFound } from '../doctor/doctor.js'
import { FoldCommand } from './base.js'
import { optionsOf, variableOf } from './environment.js'

export class DoctorCommand extends FoldCommand {
  static override paths = [['doctor']]
  static override usage = Command.Usage({
    description: 'check whether everything that the program needs is here',
    details: `
      Looks at Node, the native binary, memory and its limits, processors, the state directory and its disk, the
      variables of the environment, and (if one is set up) the storage: whether it can be reached and what the key may
      do. Each thing that is wrong is named with what to do about it. Values of variables are never shown.

      Nothing is stored, except with \`--write\` one small object in the bucket of archives, to see whether the key may.
      If anything is wrong the exit code is 41.
    `,
    examples: [
      ['Is everything in order?', '$0 doctor'],
      ['May the key store archives?', '$0 doctor --write'],
      ['For a script', '$0 doctor --json'],
    ],
  })

  stateDir = Option.String('--state-dir', {
    description: 'State directory (default: $LOCAL_STATE_DIR or ./fold_state)',
  })
  write = Option.Boolean('--write', false, {
    description: 'Also store a small object, to see whether the key may',
  })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects } = this.context
    const options = this.cli.definitions().flatMap(optionsOf)
    const findings = await diagnose({
      effects,
      tryBinary: async () => {
        const { Interner } = await import('../interner.js')
        await Interner.fromText('the cat sat', 'doctor')
      },
      stateDirectory: this.stateDir ?? (effects.env['LOCAL_STATE_DIR'] || './fold_state'),
      variables: new Set(options.map(({ name }) => variableOf(name))),
      write: this.write,
      signal,
    })
    const failure = problemsFound(findings)
    if (this.json) await this.printJson({ ok: !failure, findings })
    else for (const line of describeFindings(findings)) await this.print(line)
    if (failure) throw failure
    return 0
  }
}
