/** `fold-worker merge`: archives into one, or into one for each input. */
import { dirname, join } from 'node:path'
import { Command, Option } from 'clipanion'
import { FoldError, systemCode } from '../errors.js'
import { groupByInput, type Grouping, type InputConflict, type InputGroup } from '../merge/grouping.js'
import { outputPaths } from '../merge/outputs.js'
import { isWhole, type ArchiveSummary } from '../manifest.js'
import { describeShards } from '../report/limits.js'
import { plural } from '../report/numbers.js'
import { ProgressDisplay } from '../report/progress.js'
import { describeSearch } from '../report/summary.js'
import { exists } from '../state/moves.js'
import type { GoalOptions } from '../goal.js'
import type { Limits } from '../limits.js'
import type { Library } from './base.js'
import { LimitedCommand } from './limited.js'
import {
  GOAL_HELP,
  MEMORY_HELP,
  THREADS_HELP,
  TOP_HELP,
  countOption,
  goalOption,
  memoryOption,
} from './options.js'

interface MergeSettings extends Limits, GoalOptions {
  memory: number | undefined
  threads: number | undefined
  signal: AbortSignal
}

export class MergeCommand extends LimitedCommand {
  static override paths = [['merge']]
  static override usage = Command.Usage({
    description: 'merge archives into one, or into one for each input',
    details: `
      The result holds exactly what one search of all the texts would find, in whatever order and however often the
      archives are named. A directory stands for all archives (\`*.bin\`) in it. The archives themselves are not changed.

      Of archives of one text a complete one is enough; incomplete ones and shards are united, and shards that are
      missing are named. If the result is incomplete, the exit code is 18.

      Archives of searches for the optimum (\`--goal optimal\`) are merged to one that answers for the optimum of all texts
      together. With archives of all orthos they are merged only if \`--goal optimal\` is given, as the result then holds
      the best and nothing else.

      Archives that hold different texts under one name are never mixed by accident: name only those that you want, or
      say \`--mix\`. With \`--by-input\` each text gets an archive of its own in the directory \`--out\`; different texts
      of one name are told apart by the beginning of their SHA-256.
    `,
    examples: [
      ['Two archives', '$0 merge a.bin b.bin --out both.bin'],
      ['Everything in a directory', '$0 merge archives --out all.bin'],
      ['The shards of each text put together', '$0 merge shards --by-input --out whole'],
    ],
  })

  archives = Option.Rest({ name: 'archive or directory', required: 1 })
  out = Option.String('--out', {
    required: true,
    description: 'Archive directory to write; with --by-input the directory for all of them',
  })
  byInput = Option.Boolean('--by-input', false, { description: 'Make one archive for each input' })
  mix = Option.Boolean('--mix', false, { description: 'Merge different texts even if they have one name' })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  goal = Option.String('--goal', { description: GOAL_HELP })
  top = Option.String('--top', { description: TOP_HELP })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object for each archive written' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const settings: MergeSettings = {
      ...this.limits(),
      ...goalOption(this.goal, this.top),
      memory: memoryOption(this.memory),
      threads: countOption('--threads', this.threads, 1),
      signal,
    }
    if (this.out === '') throw new FoldError('INVALID_ARGUMENT', '--out must name a directory')
    if (this.mix && this.byInput) {
      throw new FoldError('INVALID_ARGUMENT', '--mix and --by-input contradict each other')
    }
    const library = await this.context.library()
    const grouping = groupByInput(await this.#open(library))
    const incomplete = this.byInput
      ? await this.#byInput(library, settings, grouping)
      : await this.#allInOne(library, settings, grouping)
    if (incomplete.length > 0) {
      throw new FoldError(
        'LIMIT_REACHED',
        `incomplete: ${incomplete.join(', ')}; all that the archives hold is kept`,
      )
    }
    return 0
  }

  /** All archives that the arguments name, each once. */
  async #open(library: Library): Promise<ArchiveSummary[]> {
    const summaries = new Map<string, ArchiveSummary>()
    for (const argument of this.archives) {
      for (const path of await this.#archivesAt(argument)) {
        const archive = await library.openArchive(path)
        archive.close()
        summaries.set(path, archive.summary)
      }
    }
    return [...summaries.values()]
  }

  /** The path itself, or the archives in a directory that is none. */
  async #archivesAt(path: string): Promise<string[]> {
    const { files } = this.context.effects
    if (await exists(files, join(path, 'manifest.json'))) return [path]
    let entries
    try {
      entries = await files.readdir(path, { withFileTypes: true })
    } catch (error) {
      // What is no directory is no archive either; opening it says so best.
      if (['ENOTDIR', 'ENOENT'].includes(systemCode(error) ?? '')) return [path]
      throw error
    }
    const names = entries.filter(({ name }) => name.endsWith('.bin') && !name.startsWith('.'))
    if (names.length === 0) {
      throw new FoldError('NOT_AN_ARCHIVE', `${path} is no archive, and no archive (*.bin) is in it`)
    }
    return names.map(({ name }) => join(path, name)).sort()
  }

  /** Resolves to what is incomplete. */
  async #allInOne(library: Library, settings: MergeSettings, grouping: Grouping): Promise<string[]> {
    const { groups, others, conflicts } = grouping
    if (conflicts.length > 0 && !this.mix) {
      throw new FoldError(
        'INPUTS_CONFLICT',
        `${conflicts.map(describeConflict).join('; ')}. Name only those that you want, or keep them apart with ` +
          '--by-input, or merge all the same with --mix',
      )
    }
    for (const { input, missingShards } of groups) await this.#tellMissing(input.name, missingShards)
    const paths = [...groups.flatMap((group) => this.#needed(group)), ...others].map(({ archive }) => archive)
    const summary = await this.#merge(library, settings, paths, this.out)
    return isWhole(summary) ? [] : [summary.archive]
  }

  /** For the best of all, what adds nothing to a list of all may say how many are wanted. */
  #needed({ archives, superfluous }: InputGroup): ArchiveSummary[] {
    return this.goal === 'optimal' ? [...archives, ...superfluous] : archives
  }

  async #byInput(library: Library, settings: MergeSettings, grouping: Grouping): Promise<string[]> {
    const { groups, others, conflicts } = grouping
    const { files, stderr } = this.context.effects
    for (const conflict of conflicts) await stderr.write(`kept apart: ${describeConflict(conflict)}\n`)
    const paths = outputPaths(groups).map((path) => join(this.out, path))
    for (const path of paths) {
      if (!(await exists(files, path))) continue
      throw new FoldError('OUTPUT_EXISTS', `${path} is there already; nothing is overwritten`)
    }
    const incomplete: string[] = []
    for (const [at, group] of groups.entries()) {
      const { input, missingShards } = group
      const out = paths[at] ?? this.out
      await this.#tellMissing(input.name, missingShards)
      await files.mkdir(dirname(out), { recursive: true })
      const sources = this.#needed(group).map(({ archive }) => archive)
      const summary = await this.#merge(library, settings, sources, out)
      if (!isWhole(summary)) incomplete.push(summary.archive)
    }
    if (others.length > 0) {
      const named = others.map(({ archive }) => archive).join(', ')
      throw new FoldError('INPUTS_LEFT', `left out, as they hold several texts each: ${named}`)
    }
    return incomplete
  }

  async #merge(
    library: Library,
    settings: MergeSettings,
    archives: string[],
    out: string,
  ): Promise<ArchiveSummary> {
    const { effects } = this.context
    const progress = new ProgressDisplay(effects, { quiet: this.quiet })
    const started = effects.now()
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const summary = await library.mergeArchives(archives, { ...settings, out, onProgress })
      progress.end()
      if (this.json) await this.printJson({ from: archives, ...summary })
      else {
        await this.print(`${plural(archives.length, 'archive')} merged`)
        for (const line of await describeSearch(summary, (effects.now() - started) / 1000))
          await this.print(line)
      }
      return summary
    } finally {
      progress.end()
    }
  }

  async #tellMissing(name: string, missing: readonly string[]): Promise<void> {
    if (missing.length === 0) return
    await this.context.effects.stderr.write(`${name}: missing shards: ${describeShards(missing)}\n`)
  }
}

function describeConflict({ name, texts }: InputConflict): string {
  const each = texts.map(({ sha256, archives }) => `${archives.join(', ')} (${sha256.slice(0, 12)})`)
  return `different texts are called "${name}": ${each.join(' and ')}`
}
