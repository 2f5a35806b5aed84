/**
 * What the report does when it is open: steps through slices, and filters the sample. Everything is there without it
 * but the filter; text reaches the page by `textContent` only.
 */
export const CLIENT = `
'use strict';
(() => {
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  for (const stepper of document.querySelectorAll('.stepper')) {
    const slices = [...document.getElementById(stepper.dataset.for).querySelectorAll('table')];
    const [back, on, all] = ['\\u25c0 previous', 'next \\u25b6', 'show all'].map((label) => make('button', { type: 'button' }, label));
    const where = make('output', { 'aria-live': 'polite' });
    let at = 0;
    let whole = false;
    const draw = () => {
      slices.forEach((slice, i) => { slice.hidden = !whole && i !== at; });
      // Not disabled: a button that is loses the focus, and the arrow keys with it.
      back.ariaDisabled = String(whole || at === 0);
      on.ariaDisabled = String(whole || at === slices.length - 1);
      all.textContent = whole ? 'one at a time' : 'show all';
      where.textContent = whole ? 'all ' + slices.length + ' slices' : 'slice ' + (at + 1) + ' of ' + slices.length;
    };
    const step = (by) => { if (!whole) { at = Math.min(slices.length - 1, Math.max(0, at + by)); draw(); } };
    back.addEventListener('click', () => step(-1));
    on.addEventListener('click', () => step(1));
    all.addEventListener('click', () => { whole = !whole; draw(); });
    stepper.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowLeft') step(-1);
      if (event.key === 'ArrowRight') step(1);
    });
    stepper.append(back, on, all, where);
    stepper.hidden = false;
    draw();
  }

  const source = document.getElementById('sample');
  if (!source) return;
  const { words: vocabulary, shapes } = JSON.parse(source.textContent);
  const most = 30;
  const cellsOf = (dims) => dims
    .reduce((cells, d) => cells.flatMap((cell) => Array.from({ length: d }, (_, i) => [...cell, i])), [[]])
    .sort((a, b) => a.reduce((x, y) => x + y, 0) - b.reduce((x, y) => x + y, 0));
  const drawing = (dims, words) => {
    const at = new Map(cellsOf(dims).map((cell, i) => [cell.join(), vocabulary[words[i]]]));
    const [rows, columns] = dims.slice(-2);
    const slices = dims.slice(0, -2).reduce((cells, d) => cells.flatMap((cell) => Array.from({ length: d }, (_, i) => [...cell, i])), [[]]);
    const tables = slices.map((slice) => {
      const table = make('table', { class: 'grid' });
      table.append(make('caption', {}, slice.length ? dims.join('x') + ' (' + [...slice, '\\u00b7', '\\u00b7'].join(', ') + ')' : dims.join('x')));
      for (let row = 0; row < rows; row += 1) {
        const line = table.insertRow();
        for (let column = 0; column < columns; column += 1) {
          const cell = line.insertCell();
          cell.dir = 'auto';
          cell.textContent = at.get([...slice, row, column].join()) ?? '';
        }
      }
      return table;
    });
    return make('div', { class: 'scroll' }, make('div', { class: 'slices' }, ...tables));
  };

  const form = document.getElementById('filter');
  const word = form.querySelector('input');
  const shape = form.querySelector('select');
  const said = form.querySelector('output');
  const found = document.getElementById('found');
  const filter = () => {
    const wanted = word.value.trim().normalize('NFC').toLowerCase();
    const fitting = new Set(vocabulary.flatMap((text, i) => (text.startsWith(wanted) ? [i] : [])));
    const matches = [];
    let count = 0;
    for (const { dims, orthos } of shapes) {
      if (shape.value && shape.value !== dims.join('x')) continue;
      for (const words of orthos) {
        if (wanted && !words.some((i) => fitting.has(i))) continue;
        count += 1;
        if (matches.length < most) matches.push([dims, words]);
      }
    }
    said.textContent = count === 0 ? 'none of the sample' : count + ' of the sample' + (count > most ? ', the first ' + most + ' below' : '');
    found.replaceChildren(...matches.map(([dims, words]) => drawing(dims, words)));
  };
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
`
