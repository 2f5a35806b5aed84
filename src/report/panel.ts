/**
 * The live panel as lines of text: what is going on, how far it is, what was found and what it takes.
 *
 * Pure: a snapshot and the size of the screen in, lines out, none wider than the screen, no more than fit.
 */
import { formatSize } from '../machine/size.js'
import { compareShapes, formatShape } from '../shape.js'
import type { Ortho, Progress } from '../task.js'
import { clip } from './clip.js'
import { drawSlices } from './grid.js'
import { formatCount, formatSeconds } from './numbers.js'
import type { Meter } from './width.js'

/** Where work stands: that of the core, or of a transfer. */
export interface Snapshot extends Partial<Omit<Progress, 'phase' | 'share'>> {
  phase: string
  /** 0 to 1. */
  share: number
  /** Bytes moved so far, and in all where that is known. */
  bytes?: number | undefined
  totalBytes?: number | undefined
}

/** What a snapshot is drawn with. */
export interface PanelContext {
  columns: number
  rows: number
  colour: boolean
  meter: Meter
  /** What is worked on. */
  title?: string | undefined
  /** As `Estimate` tells it. */
  timeLeft?: string | undefined
  /** Orthos, or bytes where those are moved, a second. */
  rate?: number | undefined
  /** Bytes of memory that the process has, and may have. */
  memoryUsed?: number | undefined
  memoryBudget?: number | undefined
  /** Bytes of results that are allowed. */
  diskBudget?: number | undefined
}

const PHASES: Readonly<Record<string, string>> = {
  read: 'reading',
  index: 'indexing',
  copy: 'copying',
  search: 'searching',
  write: 'writing',
  verify: 'verifying',
  export: 'exporting',
  download: 'downloading',
  upload: 'uploading',
  compress: 'compressing',
  decompress: 'unpacking',
}

/** The name of a phase for people. */
export function phaseName(phase: string): string {
  return PHASES[phase] ?? phase
}

/** A share in whole per cent; never 100 before the end. */
export function percent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`
}

const LONGEST_BAR = 48
const SHORTEST_BAR = 8

/** The panel. */
export function drawPanel(snapshot: Snapshot, context: PanelContext): string[] {
  const { columns, rows, meter, colour } = context
  const width = Math.max(1, columns - 1)
  const head = [headLine(snapshot, context, width), ...flow(figures(snapshot, context), width, meter)]
  const takes = flow(resources(snapshot, context), width, meter)
  const shapes = flow(shapeCounts(snapshot), width, meter, '   ')
  const best = snapshot.best ? bestLines(snapshot.best, width, meter) : []
  // What matters most stays on a low screen; a grid that is cut short says less than none.
  const room = Math.max(1, rows - 1)
  const lines = head.slice(0, room)
  const add = (more: string[], whole: boolean) => {
    if (more.length === 0) return
    const left = room - lines.length - 1
    if (left <= 0 || (whole && more.length > left)) return
    lines.push('', ...more.slice(0, left))
  }
  if (lines.length + takes.length <= room) lines.push(...takes)
  add(shapes, false)
  add(best, true)
  const plain = lines.map((line) => clip(line, width, meter))
  return colour ? plain.map((line, i) => (i === 0 ? `\u001b[1m${line}\u001b[22m` : line)) : plain
}

function headLine(snapshot: Snapshot, { title, meter }: PanelContext, width: number): string {
  const name = phaseName(snapshot.phase)
  const share = percent(snapshot.share).padStart(5)
  const bar = Math.min(LONGEST_BAR, width - meter(name) - share.length - 2)
  const line =
    bar >= SHORTEST_BAR ? `${name} ${drawBar(snapshot.share, bar)} ${share}` : `${name} ${share.trim()}`
  const rest = width - meter(line) - 2
  return title !== undefined && rest > 4 ? `${line}  ${clip(plainText(title), rest, meter)}` : line
}

function drawBar(share: number, length: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * length)
  return '█'.repeat(full) + '░'.repeat(length - full)
}

function figures(snapshot: Snapshot, { timeLeft, rate }: PanelContext): string[] {
  const { elapsedSeconds, orthos, bytes, totalBytes } = snapshot
  const parts: string[] = []
  if (elapsedSeconds !== undefined) parts.push(formatSeconds(elapsedSeconds))
  if (timeLeft !== undefined) parts.push(timeLeft)
  if (bytes !== undefined) {
    parts.push(
      totalBytes === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(totalBytes)}`,
    )
    if (rate !== undefined) parts.push(`${formatSize(rate)} a second`)
  } else if (orthos !== undefined) {
    parts.push(`${formatCount(orthos)} orthos`)
    if (rate !== undefined && orthos > 0) parts.push(`${formatCount(rate)} a second`)
  }
  return parts
}

function resources(snapshot: Snapshot, context: PanelContext): string[] {
  const { memoryUsed, memoryBudget, diskBudget } = context
  const { disk, diskFree } = snapshot
  const parts: string[] = []
  if (memoryUsed !== undefined) {
    const budget = memoryBudget === undefined ? '' : ` of ${formatSize(memoryBudget)}`
    parts.push(`memory ${formatSize(memoryUsed)}${budget}`)
  }
  if (disk !== undefined && (disk > 0 || typeof diskFree === 'number')) {
    const budget = diskBudget === undefined ? '' : ` of ${formatSize(diskBudget)}`
    parts.push(`disk ${formatSize(disk)}${budget}`)
  }
  if (typeof diskFree === 'number') parts.push(`${formatSize(diskFree)} free`)
  return parts
}

function shapeCounts({ shapes = {} }: Snapshot): string[] {
  return Object.entries(shapes)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => compareShapes(a, b))
    .map(([shape, count]) => `${shape} ${formatCount(count)}`)
}

function bestLines(best: Ortho, width: number, meter: Meter): string[] {
  return [`best so far: ${formatShape(best.dims)}`, ...drawSlices(best.dims, best.words, width, meter)]
}

/** Parts one after the other, broken between two parts where the line is full. */
function flow(parts: readonly string[], width: number, meter: Meter, between = ', '): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    const joined = last === undefined ? part : `${last}${between}${part}`
    if (last !== undefined && meter(joined) <= width) lines[lines.length - 1] = joined
    else lines.push(part)
  }
  return lines
}

/** Without what would move the cursor or change colours. */
function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd')
}
