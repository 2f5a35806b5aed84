/** `fold-worker merge`: archives into one, or into one for each input. */
import { basename, dirname, join } from 'node:path'
import { Command, Option } from 'clipanion'
import { FoldError, systemCode } from '../errors.js'
import { BucketWork } from '../merge/bucket-work.js'
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
import { howToContinue } from './continue.js'
import { LimitedCommand } from './limited.js'
import { workProgress } from './progress.js'
import {
  GOAL_HELP,
  MEMORY_HELP,
  THREADS_HELP,
  TOP_HELP,
  countOption,
  goalOption,
  isBucketUrl,
  memoryOption,
} from './options.js'

interface MergeSettings extends Limits, GoalOptions {
  memory: number | undefined
  threads: number | undefined
  signal: AbortSignal
}

/** What the merges of one command share. */
interface MergeWork {
  library: Library
  settings: MergeSettings
  buckets: BucketWork
  /** `--out`, or a directory for what only a bucket keeps. */
  out: string
}

/** Hex digits of the content digest in the name of what has no other. */
const NAME_DIGITS = 12

export class MergeCommand extends LimitedCommand {
  static override paths = [['merge']]
  static override usage = Command.Usage({
    description: 'merge archives into one, or into one for each input',
    details: `
      The result holds exactly what one search of all the texts would find, in whatever order and however often the
      archives are named. A directory stands for all archives (\`*.bin\`) in it. The archives themselves are not changed.

      Of archives of one text a complete one is enough; incomplete ones and shards are united, and shards that are
      missing are named. If the result is incomplete, the exit code is 18. What a limit ended is gone on with by
      \`search --continue\`, for which the merged archives are not needed.

      Archives of searches for the optimum (\`--goal optimal\`) are merged to one that answers for the optimum of all texts
      together. With archives of all orthos they are merged only if \`--goal optimal\` is given, as the result then holds
      the best and nothing else.

      Archives that hold different texts under one name are never mixed by accident: name only those that you want, or
      say \`--mix\`. With \`--by-input\` each text gets an archive of its own in the directory \`--out\`; different texts
      of one name are told apart by the beginning of their SHA-256.

      An archive may also be \`s3://bucket/prefix\` (or \`file:///directory/\` in its place): all archives there whose names
      begin so, of which only those that are needed are downloaded. \`--to\` stores the result in a bucket, under a name that
      nothing has; what is there already is not stored again. The environment says how to reach buckets: docs/cloud.md.
    `,
    examples: [
      ['Two archives', '$0 merge a.bin b.bin --out both.bin'],
      ['Everything in a directory', '$0 merge archives --out all.bin'],
      ['The shards of each text put together', '$0 merge shards --by-input --out whole'],
      ['All that workers have stored', '$0 merge s3://fold-archives --out all.bin'],
      ['The same in the buckets', '$0 merge s3://fold-archives --by-input --to s3://fold-archives/whole/'],
    ],
  })

  archives = Option.Rest({ name: 'archive, directory or bucket', required: 1 })
  out = Option.String('--out', {
    description: 'Archive directory to write; with --by-input the directory for all of them',
  })
  to = Option.String('--to', {
    description:
      'Where to store the result: s3://bucket/prefix or file:///directory/ (instead of --out, or as well)',
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
    if (this.out === undefined && this.to === undefined) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        'the result needs a place: --out DIRECTORY or --to s3://bucket/prefix',
      )
    }
    if (this.to !== undefined && !isBucketUrl(this.to)) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `--to must be s3://bucket/prefix or file:///directory/, not "${this.to}"`,
      )
    }
    if (this.mix && this.byInput) {
      throw new FoldError('INVALID_ARGUMENT', '--mix and --by-input contradict each other')
    }
    const library = await this.context.library()
    const { effects } = this.context
    const parent = this.out === undefined ? undefined : dirname(this.out)
    const transfers = new ProgressDisplay(effects, { quiet: this.quiet, json: this.json })
    const began = effects.now()
    const buckets = new BucketWork({
      env: effects.env,
      world: effects,
      parent,
      to: this.to,
      signal,
      onTransfer: ({ phase, name, done, total }) => {
        transfers.title = name
        transfers.tell({ phase, share: total > 0 ? done / total : 1, bytes: done, totalBytes: total }, began)
        // What comes next writes its own lines.
        if (done >= total) transfers.end()
      },
    })
    let incomplete: ArchiveSummary[]
    try {
      await buckets.prepare()
      const grouping = groupByInput(await this.#open(library, buckets))
      const work: MergeWork = { library, settings, buckets, out: this.out ?? (await buckets.results()) }
      incomplete = this.byInput ? await this.#byInput(work, grouping) : await this.#allInOne(work, grouping)
    } finally {
      transfers.end()
      await buckets.end()
    }
    if (incomplete.length > 0) {
      const named = incomplete.map(({ archive }) => archive).join(', ')
      const next = incomplete
        .filter(canBeContinued)
        .map(({ archive }) => `. To go on: ${howToContinue(archive)}`)
      throw new FoldError(
        'LIMIT_REACHED',
        `incomplete: ${named}; all that the archives hold is kept${next.join('')}`,
      )
    }
    return 0
  }

  /** All archives that the arguments name, each once. */
  async #open(library: Library, buckets: BucketWork): Promise<ArchiveSummary[]> {
    const summaries = new Map<string, ArchiveSummary>()
    for (const argument of this.archives) {
      const paths = isBucketUrl(argument) ? await buckets.fetch(argument) : await this.#archivesAt(argument)
      for (const path of paths) {
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
  async #allInOne(work: MergeWork, { groups, others, conflicts }: Grouping): Promise<ArchiveSummary[]> {
    const describe = (conflict: InputConflict) => describeConflict(conflict, work.buckets)
    if (conflicts.length > 0 && !this.mix) {
      throw new FoldError(
        'INPUTS_CONFLICT',
        `${conflicts.map(describe).join('; ')}. Name only those that you want, or keep them apart with ` +
          '--by-input, or merge all the same with --mix',
      )
    }
    for (const { input, missingShards } of groups) await this.#tellMissing(input.name, missingShards)
    const paths = [...groups.flatMap((group) => this.#needed(group)), ...others].map(({ archive }) => archive)
    const out = this.out ?? join(work.out, 'merged.bin')
    const name = this.out === undefined ? undefined : basename(this.out, '.bin')
    const summary = await this.#merge(work, paths, out, name)
    return isWhole(summary) ? [] : [summary]
  }

  /** For the best of all, what adds nothing to a list of all may say how many are wanted. */
  #needed({ archives, superfluous }: InputGroup): ArchiveSummary[] {
    return this.goal === 'optimal' ? [...archives, ...superfluous] : archives
  }

  async #byInput(work: MergeWork, { groups, others, conflicts }: Grouping): Promise<ArchiveSummary[]> {
    const { files, stderr } = this.context.effects
    for (const conflict of conflicts) {
      await stderr.write(`kept apart: ${describeConflict(conflict, work.buckets)}\n`)
    }
    const paths = outputPaths(groups).map((path) => join(work.out, path))
    for (const path of paths) {
      if (!(await exists(files, path))) continue
      throw new FoldError('OUTPUT_EXISTS', `${path} is there already; nothing is overwritten`)
    }
    const incomplete: ArchiveSummary[] = []
    for (const [at, group] of groups.entries()) {
      const { input, missingShards } = group
      const out = paths[at] ?? work.out
      await this.#tellMissing(input.name, missingShards)
      await files.mkdir(dirname(out), { recursive: true })
      const sources = this.#needed(group).map(({ archive }) => archive)
      const summary = await this.#merge(work, sources, out)
      if (!isWhole(summary)) incomplete.push(summary)
      if (this.out === undefined) await files.rm(out, { recursive: true, force: true })
    }
    if (others.length > 0) {
      const named = others.map(({ archive }) => work.buckets.nameOf(archive)).join(', ')
      throw new FoldError('INPUTS_LEFT', `left out, as they hold several texts each: ${named}`)
    }
    return incomplete
  }

  /** Merges, stores and reports; `name` is that of the stored archive if it is of several texts. */
  async #merge(
    { library, settings, buckets }: MergeWork,
    archives: string[],
    out: string,
    name?: string,
  ): Promise<ArchiveSummary> {
    const { effects } = this.context
    const { memory, maxDisk } = settings
    const wishes = { quiet: this.quiet, json: this.json, memory, maxDisk, title: basename(out) }
    const progress = await workProgress(effects, wishes)
    const started = effects.now()
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const merged = await library.mergeArchives(archives, { ...settings, out, onProgress })
      progress.end()
      const seconds = (effects.now() - started) / 1000
      const called = merged.input?.name ?? name ?? `merged-${merged.contentDigest.slice(0, NAME_DIGITS)}`
      const there = await buckets.store(merged, called)
      const summary = { ...merged, archive: this.out === undefined && there ? there.url : merged.archive }
      const from = archives.map((path) => buckets.nameOf(path))
      if (this.json) await this.printJson({ from, ...summary, ...there })
      else {
        await this.print(`${plural(archives.length, 'archive')} merged`)
        for (const line of await describeSearch(summary, seconds)) await this.print(line)
        if (there) await this.print(`${there.stored ? 'stored at' : 'there already:'} ${there.url}`)
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

/** Whether a limit ended the search of an archive, or of a merge of complete ones, and it can be gone on with. */
function canBeContinued({ archive, files }: ArchiveSummary): boolean {
  return 'progress.bin' in files && !isBucketUrl(archive)
}

function describeConflict({ name, texts }: InputConflict, buckets: BucketWork): string {
  const each = texts.map(({ sha256, archives }) => {
    const named = archives.map((path) => buckets.nameOf(path)).join(', ')
    return `${named} (${sha256.slice(0, 12)})`
  })
  return `different texts are called "${name}": ${each.join(' and ')}`
}
