/** `fold-worker inspect`: what is in an archive. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { ProgressDisplay } from '../report/progress.js'
import { describeArchive, describeVerification } from '../report/summary.js'
import { FoldCommand } from './base.js'

export class InspectCommand extends FoldCommand {
  static override paths = [['inspect']]
  static override usage = Command.Usage({
    description: 'show what is in an archive, and check it',
    details: `
      Reads the manifest only, so it is quick whatever the size. \`--verify\` also checks every file against its
      checksum and every ortho against the definition; what is not in order ends in an error.
    `,
    examples: [
      ['What is in it', '$0 inspect chapter.bin'],
      ['Is it sound?', '$0 inspect chapter.bin --verify'],
      ['All texts that went into it', '$0 inspect all.bin --lineage'],
      ['For a script', '$0 inspect chapter.bin --json'],
    ],
  })

  archive = Option.String()
  verify = Option.Boolean('--verify', false, { description: 'Check every file and every ortho' })
  lineage = Option.Boolean('--lineage', false, { description: 'Show the whole lineage, however long' })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const { openArchive } = await library()
    const archive = await openArchive(this.archive)
    const progress = new ProgressDisplay(effects, { quiet: this.quiet, json: this.json })
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const verified = this.verify ? await archive.verify({ signal, onProgress }) : undefined
      progress.end()
      if (this.json) {
        await this.printJson({ ...archive.summary, ...(verified && { verified }) })
      } else {
        for (const line of await describeArchive(archive.summary, { wholeLineage: this.lineage }))
          await this.print(line)
        for (const line of verified ? describeVerification(verified) : []) await this.print(line)
      }
      if (verified && verified.problems.length > 0) {
        throw new FoldError(
          'DAMAGED',
          `${this.archive} is damaged; search its text again, or use a copy of it`,
        )
      }
    } finally {
      progress.end()
      archive.close()
    }
    return 0
  }
}
