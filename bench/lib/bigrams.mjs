/** The bigrams of a text as pairs of numbers, by the rules that say what a sentence and a word is. */
export function bigrams(text) {
  const numbers = new Map()
  const seen = new Set()
  const pairs = []
  const number = (word) => {
    if (!numbers.has(word)) numbers.set(word, numbers.size)
    return numbers.get(word)
  }
  const plain = text
    .replace(/^\ufeff/, '')
    .normalize('NFC')
    .replaceAll('\u2019', "'")
    .replace(/\r\n?/g, '\n')
  for (const sentence of plain.split(/[.?;!,。？；！，、؟؛،]|\n\p{White_Space}*\n/u)) {
    const words = (sentence.match(/[\p{L}\p{M}']+/gu) ?? [])
      .map((word) => word.replace(/^'+|'+$/g, '').toLowerCase())
      .filter((word) => word !== '')
      .map(number)
    for (const [at, second] of words.slice(1).entries()) {
      const key = words[at] * 2 ** 26 + second
      if (!seen.has(key)) pairs.push([words[at], second])
      seen.add(key)
    }
  }
  return pairs
}
