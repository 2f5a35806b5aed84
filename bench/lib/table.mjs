/** One row: what was measured, ours, theirs, the ratio, the target it has to meet, whether it does, a note. */
export function markdown(rows) {
  const cells = [
    ['what', 'ours', 'against', 'ratio', 'target', 'met', 'note'],
    ['---', '---', '---', '---', '---', '---', '---'],
    ...rows.map((row) => [
      row.what,
      row.ours ?? '',
      row.theirs ?? '',
      row.ratio === undefined ? '' : row.ratio.toFixed(2),
      row.target === undefined
        ? ''
        : `${row.target.atMost ? 'at most' : 'at least'} ${row.target.atMost ?? row.target.atLeast}`,
      row.ratio === undefined || row.target === undefined ? '' : met(row) ? 'yes' : 'no',
      row.note ?? '',
    ]),
  ]
  return cells.map((line) => `| ${line.join(' | ')} |\n`).join('')
}

function met({ ratio, target }) {
  return target.atMost === undefined ? ratio >= target.atLeast : ratio <= target.atMost
}
