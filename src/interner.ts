/** The vocabulary of a text with its phrases. */
import { native, type NativeInterner } from './addon.js'
import { readInput } from './input.js'

/** What {@link Interner.contexts} found. */
export interface Contexts {
  count: number
  /** Words of the sentence, and how many of them come before the run. */
  places: { words: string[]; before: number }[]
}

/** Where a phrase stands in a text. */
export interface Places {
  count: number
  /** The numbers, from 1, of the lines in which the first of these places begin. */
  lines: number[]
}

/** Looks for phrases, given as lists of words as an interner has them, in a file; at most `most` lines each. */
export async function locatePhrases(
  path: string,
  phrases: readonly (readonly string[])[],
  most = 3,
): Promise<Places[]> {
  const lists = phrases.map((words) => [...words])
  return JSON.parse(await native((addon) => addon.locatePhrases(path, lists, most))) as Places[]
}

/**
 * Which words a text has and which runs of words occur in it. Words are numbered by **tokens**, in ascending order
 * of their UTF-8 bytes.
 *
 * @example
 * ```ts
 * const interner = await Interner.fromText('The cat sat. The cat ran.')
 * interner.completions(['the', 'cat']) // ['ran', 'sat']
 * ```
 */
export class Interner {
  readonly #native: NativeInterner

  /** @internal */
  constructor(interner: NativeInterner) {
    this.#native = interner
  }

  /** The interner of a text in memory; `name` is what errors call it. */
  static async fromText(text: string | Uint8Array, name = 'text'): Promise<Interner> {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    return new Interner(await native((addon) => addon.internText(name, bytes)))
  }

  /** The interner of a file of UTF-8 text. */
  static async fromFile(path: string): Promise<Interner> {
    return Interner.fromText(await readInput(path), path)
  }

  /** The number of distinct words. */
  get size(): number {
    return this.#native.size
  }

  /** The word of a token. */
  word(token: number): string | undefined {
    return Number.isInteger(token) && token >= 0 && token < this.size
      ? (this.#native.word(token) ?? undefined)
      : undefined
  }

  /** The token of a word, if the text has it. */
  token(word: string): number | undefined {
    return this.#native.token(word) ?? undefined
  }

  /** All words in the order of their tokens. */
  *words(): Generator<string, void, undefined> {
    for (let token = 0; token < this.size; token += 1) yield this.#native.word(token) ?? ''
  }

  /** The words that follow a run of words somewhere in the text, ascending; none if the run does not occur. */
  completions(words: readonly string[]): string[] {
    const tokens = words.map((word) => this.token(word))
    if (tokens.length === 0 || !tokens.every((token) => token !== undefined)) return []
    return this.#native.completions(tokens).map((token) => this.#native.word(token) ?? '')
  }

  /**
   * Where a run of two words or more stands: how often among the distinct sentences that the interner keeps (none of
   * which is a part of another), and the words around the first `most` of these places, `around` on either side.
   */
  async contexts(
    words: readonly string[],
    { most = 3, around = 6 }: { most?: number; around?: number } = {},
  ): Promise<Contexts> {
    const tokens = words.map((word) => this.token(word))
    if (!tokens.every((token) => token !== undefined)) return { count: 0, places: [] }
    return JSON.parse(await native(() => this.#native.contexts(tokens, most, around))) as Contexts
  }

  /** SHA-256 of the words and phrases: equal for interners that hold the same. */
  digest(): Promise<string> {
    return native(() => this.#native.digest())
  }

  /** The interner of both texts together. No phrase spans the two. */
  async union(other: Interner): Promise<Interner> {
    return new Interner(await native(() => this.#native.union(other.#native)))
  }
}
