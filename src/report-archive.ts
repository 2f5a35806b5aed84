/** The report on an archive as a library function. */
import type { Archive } from './archive.js'
import { machine } from './effects.js'
import { gatherReport, type ReportOptions } from './report/page/data.js'
import { renderReport } from './report/page/page.js'

export type { ReportOptions }

/**
 * A page of HTML that shows what is in an archive: self-contained, some hundred KiB whatever the archive.
 *
 * @example
 * ```ts
 * await writeFile('report.html', await reportArchive(archive, { texts: ['chapter.txt'] }))
 * ```
 */
export async function reportArchive(archive: Archive, options: ReportOptions = {}): Promise<string> {
  return renderReport(await gatherReport(machine, archive, options))
}
