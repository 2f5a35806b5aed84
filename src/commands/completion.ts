/** `fold-worker completion`: a script that makes a shell complete command lines. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { FoldCommand } from './base.js'
import { SHELLS, completionScript, isShell } from './completion-scripts.js'

export class CompletionCommand extends FoldCommand {
  static override paths = [['completion']]
  static override usage = Command.Usage({
    description: 'print a script that completes command lines in a shell',
    details: `
      The script knows the commands and options of this very version; make it again after an update.
    `,
    examples: [
      ['bash, for this session', 'source <($0 completion bash)'],
      ['bash, for good', '$0 completion bash > ~/.local/share/bash-completion/completions/fold-worker'],
      ['zsh: to a directory of $fpath', '$0 completion zsh > ~/.zsh/completions/_fold-worker'],
      ['fish', '$0 completion fish > ~/.config/fish/completions/fold-worker.fish'],
    ],
  })

  shell = Option.String({ name: 'bash|zsh|fish' })

  protected async perform(): Promise<number> {
    const { shell } = this
    if (!isShell(shell)) {
      throw new FoldError('INVALID_ARGUMENT', `"${shell}" must be one of: ${SHELLS.join(', ')}`)
    }
    await this.context.effects.stdout.write(completionScript(shell, this.cli.definitions()))
    return 0
  }
}
