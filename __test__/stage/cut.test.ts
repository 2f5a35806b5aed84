import test from 'ava'
import fc from 'fast-check'
import { Cutter } from '../../src/stage/cut.js'

/** The pieces of a text that comes in chunks of these lengths. */
function cut(text: string, delimiter: string, least: number, lengths: readonly number[] = [1 << 20]) {
  const cutter = new Cutter(delimiter, least)
  const bytes = Buffer.from(text)
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = lengths[i % lengths.length] ?? 1
    cutter.feed(bytes.subarray(at, at + length))
    at += length
  }
  const pieces = cutter.end().map(({ start, end }) => bytes.subarray(start, end))
  return { pieces, found: cutter.found, bytes }
}

function texts(text: string, delimiter: string, least: number): string[] {
  return cut(text, delimiter, least).pieces.map(String)
}

test('a piece begins at each line that begins with the delimiter; what comes before is a piece', (t) => {
  t.deepEqual(texts('title\nCHAPTER 1\na CHAPTER here\nCHAPTER 2\nb', 'CHAPTER', 0), [
    'title\n',
    'CHAPTER 1\na CHAPTER here\n',
    'CHAPTER 2\nb',
  ])
})

test('a text that begins with the delimiter has no empty piece', (t) => {
  t.deepEqual(texts('# a\n# b\n', '# ', 0), ['# a\n', '# b\n'])
  t.deepEqual(texts('a\n# b\n', '# ', 0), ['a\n', '# b\n'])
  t.deepEqual(texts('\ufeff# a\n# b\n', '# ', 0), ['\ufeff# a\n', '# b\n'])
})

test('lines end with LF, CRLF or CR', (t) => {
  t.deepEqual(texts('# a\r\n# b\r# c\n\n# d', '#', 0), ['# a\r\n', '# b\r', '# c\n\n', '# d'])
})

test('short pieces are joined to the next, the last to the one before', (t) => {
  t.deepEqual(texts('#1\n#22222\n#3\n#4\n#55555\n#6\n', '#', 6), ['#1\n#22222\n', '#3\n#4\n', '#55555\n#6\n'])
  t.deepEqual(texts('#1\n#2\n', '#', 100), ['#1\n#2\n'])
})

test('a delimiter that is no beginning of a line is refused', (t) => {
  for (const delimiter of ['', 'a\nb', '\r'])
    t.throws(() => new Cutter(delimiter, 0), { code: 'INVALID_ARGUMENT' })
})

const piece = fc.constantFrom('#', '##', 'é', '猫', 'a', ' ', '\n', '\r\n', '\r', '\ufeff', 'CH', 'CHA')

test('the pieces are the text, none is short, none is cut inside a line, however it comes', (t) => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.constantFrom('#', '##', 'CH', 'CHA', 'é', '猫#'),
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      (parts, delimiter, least, lengths) => {
        const text = parts.join('')
        const { pieces, found, bytes } = cut(text, delimiter, least, lengths)
        t.true(Buffer.concat(pieces).equals(bytes))
        if (pieces.length > 1) t.true(pieces.every(({ length }) => length >= least))
        for (const one of pieces.slice(1)) t.true(String(one).startsWith(delimiter))
        for (const one of pieces.slice(0, -1)) t.regex(String(one), /[\n\r]$/)
        // Where nothing is joined, every delimiter at the beginning of a line begins a piece.
        const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
        t.is(found, lines.filter((line) => line.startsWith(delimiter)).length)
        t.deepEqual(cut(text, delimiter, least).pieces.map(String), pieces.map(String))
      },
    ),
    { numRuns: 2000 },
  )
})
