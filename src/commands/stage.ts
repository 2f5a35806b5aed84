/** `fold-worker stage`: a long text as inputs of a state directory. */
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { describeStage } from '../report/stage.js'
import { planStage, writeStage, type StagePlan } from '../stage/stage.js'
import { FoldCommand } from './base.js'
import { countOption, isBucketUrl } from './options.js'

export class StageCommand extends FoldCommand {
  static override paths = [['stage']]
  static override usage = Command.Usage({
    description: 'split a long text into inputs',
    details: `
      Cuts the file before every line that begins with the delimiter, and writes the pieces as \`NAME-001.txt\`,
      \`NAME-002.txt\`, ... What comes before the first such line is a piece too. A piece that is shorter than
      \`--min-length\` is joined to the next, or at the end to the one before. Nothing is lost: the pieces one after the
      other are the file, byte for byte. Nothing is overwritten.

      With \`--to s3://bucket/prefix\` the pieces go to a bucket, see docs/cloud.md for the environment. A piece that is there
      already is passed over, so what broke off can be started again.

      \`--dry-run\` shows the cut and writes nothing.
    `,
    examples: [
      ['The chapters of a novel, to ./fold_state/input', '$0 stage novel.txt --delimiter CHAPTER'],
      ['Where would it be cut?', '$0 stage novel.txt --delimiter CHAPTER --min-length 8000 --dry-run'],
      ['Somewhere else', '$0 stage plays.txt --delimiter "ACT " --to parts'],
      ['To the bucket of inputs', '$0 stage novel.txt --delimiter CHAPTER --to s3://fold-input/novel/'],
    ],
  })

  file = Option.String()
  delimiter = Option.String('--delimiter', {
    required: true,
    description: 'What a line begins with where a new piece does, such as CHAPTER',
  })
  minLength = Option.String('--min-length', '50000', {
    description: 'Bytes that a piece has at least (default: 50000)',
  })
  to = Option.String('--to', {
    description:
      'Directory to write to, s3://bucket/prefix or file:///directory/ (default: input/ of $LOCAL_STATE_DIR or of ./fold_state)',
  })
  dryRun = Option.Boolean('--dry-run', false, { description: 'Show the cut and write nothing' })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects } = this.context
    const minLength = countOption('--min-length', this.minLength, 0) ?? 0
    if (this.to === '') throw new FoldError('INVALID_ARGUMENT', '--to must name a directory')
    const to = this.to ?? join(effects.env['LOCAL_STATE_DIR'] || './fold_state', 'input')
    const plan = await planStage(effects.files, this.file, { delimiter: this.delimiter, minLength, signal })
    if (!this.dryRun)
      await (isBucketUrl(to) ? this.#store(plan, to, signal) : writeStage(effects, plan, to, signal))
    if (this.json) await this.printJson({ ...plan, to, written: !this.dryRun })
    else
      for (const line of await describeStage(plan, {
        to,
        written: !this.dryRun,
        columns: effects.stdout.columns,
      }))
        await this.print(line)
    return 0
  }

  async #store(plan: StagePlan, to: string, signal: AbortSignal): Promise<void> {
    const { effects } = this.context
    const [{ locate }, { storeInputs }] = await Promise.all([
      import('../storage/location.js'),
      import('../storage/store-inputs.js'),
    ])
    const location = await locate(to, effects.env, effects)
    const directory = join(await effects.scratch(), `fold-worker-stage-${effects.uniqueId()}`)
    try {
      await writeStage(effects, plan, directory, signal)
      const names = plan.pieces.map(({ name }) => name)
      await storeInputs(directory, names, location, { world: effects, signal })
    } finally {
      await effects.files.rm(directory, { recursive: true, force: true })
    }
  }
}
