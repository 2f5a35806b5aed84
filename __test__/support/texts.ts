/** Made texts. */

/** Has one ortho: the square of a, b, c and d. */
export const SQUARE = 'a b. a c. b d. c d.'

/** The n-th of as many different words as wanted, in letters alone. */
export function word(n: number): string {
  let letters = ''
  for (let rest = n + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(97 + ((rest - 1) % 26)) + letters
  }
  return letters
}

/** Many squares: every one of so many words is followed by every one of a second group, those by a third. */
export function manySquares(size: number): string {
  return [...pairs('p', 'q', size), ...pairs('q', 'r', size)].join('. ')
}

/** A text whose search takes far longer than any test: of so many words each is followed by each. */
export function endless(size: number): string {
  return pairs('w', 'w', size).join('. ')
}

function pairs(first: string, second: string, size: number): string[] {
  return group(first, size).flatMap((x) => group(second, size).map((y) => `${x} ${y}`))
}

function group(letter: string, size: number): string[] {
  return Array.from({ length: size }, (_, i) => letter + word(i))
}
