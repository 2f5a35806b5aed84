/** Cutting text to the width of a terminal. */
import stringWidth from 'string-width'

/** The longest beginning of `text` that takes at most so many columns, with an ellipsis if anything was cut. */
export function clip(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    width += stringWidth(segment)
    if (width > columns) break
    kept += segment
  }
  return `${kept}…`
}
