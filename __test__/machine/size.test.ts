import test from 'ava'
import fc from 'fast-check'
import { formatSize, parseSize } from '../../src/machine/size.js'

test('a unit without B, or with iB, is binary; with B it is decimal', (t) => {
  t.is(parseSize('256M'), 256 * 2 ** 20)
  t.is(parseSize('512MiB'), 512 * 2 ** 20)
  t.is(parseSize('512MB'), 512e6)
  t.is(parseSize('1.5g'), 1.5 * 2 ** 30)
  t.is(parseSize('1048576'), 2 ** 20)
  t.is(parseSize(' 2 kib '), 2048)
})

for (const text of [
  '',
  'M',
  '0',
  '-1M',
  '1e9',
  '1,5G',
  '12X',
  '99999999T',
  'NaN',
  '0.1b',
  '1 2M',
  'constructor',
]) {
  test(`"${text}" is no size`, (t) => {
    t.throws(() => parseSize(text), { code: 'INVALID_ARGUMENT', message: /is not a size/ })
  })
}

test('whole units read back as what was written', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), fc.constantFrom('KiB', 'MiB', 'GiB'), (n, unit) => {
      t.is(formatSize(parseSize(`${n}${unit}`)), `${n} ${unit}`)
    }),
  )
})

test('sizes are short', (t) => {
  t.is(formatSize(1), '1 bytes')
  t.is(formatSize(1536), '1.5 KiB')
  t.is(formatSize(300.5 * 2 ** 20), '301 MiB')
})
