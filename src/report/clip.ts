/** Cutting text to the width of a terminal. */
import type { Meter } from './width.js'

/** The longest beginning of `text` that takes at most so many columns, with an ellipsis if anything was cut. */
export function clip(text: string, columns: number, meter: Meter): string {
  if (meter(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    width += meter(segment)
    if (width > columns) break
    kept += segment
  }
  return `${kept}…`
}
