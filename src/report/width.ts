/**
 * How many columns of a terminal a text takes: a wide character two, a combining mark none.
 *
 * The library that knows takes some 25 ms to load, as long as the search of a chapter, so it is loaded only for texts
 * that need it.
 */

/** Measures a text in columns. */
export type Meter = (text: string) => number

const PLAIN = /^[ -~]*$/

/** A meter that is right for these texts. */
export async function meterFor(texts: Iterable<string>): Promise<Meter> {
  for (const text of texts) {
    if (!PLAIN.test(text)) return (await import('string-width')).default
  }
  return (text) => text.length
}
