/** The style of the report. Colours have a contrast of 4.5 and more on both grounds. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fdfcf9; --text: #22211e; --faint: #5f5b52; --line: #cfc9bb; --panel: #f4f1e8;
  --accent: #8a3b12; --bar: #b5622f; --mark: #ffe9a8; }
@media (prefers-color-scheme: dark) { :root { --ground: #191815; --text: #ece8df; --faint: #aaa497; --line: #46423a;
  --panel: #23211c; --accent: #f0a36f; --bar: #c9753f; --mark: #5b4a12; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 Georgia, "Times New Roman", serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
a { color: var(--accent); }
.note, caption, .places, footer, dt { color: var(--faint); font-size: .92rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; margin: .8rem 0 0; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .3rem .6rem; }
.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; max-width: 100%; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .8rem 0; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.big { font-size: 1.25rem; }
code, .digest { font: .88em/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
caption { text-align: start; padding: .2rem 0; }
.grid caption { white-space: nowrap; }
.each { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 0 2rem; align-items: start; }
.each > div { min-width: 0; }
.grid td { border: 1px solid var(--line); padding: .35rem .7rem; background: var(--panel); text-align: center;
  min-width: 3.2rem; white-space: nowrap; }
.grid td:first-child, .grid tr:first-child td { background: var(--ground); }
.grid tr:first-child td:first-child { font-weight: bold; color: var(--accent); }
.slices { display: flex; flex-wrap: wrap; gap: .8rem 1.6rem; align-items: flex-start; }
.stepper { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .4rem 0; }
button, select, input { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--faint);
  border-radius: .3rem; padding: .3rem .7rem; min-height: 2.4rem; }
button[aria-disabled=true] { opacity: .45; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.chart { width: 100%; max-width: 46rem; }
.chart th { font-weight: normal; text-align: start; padding: .12rem .8rem .12rem 0; vertical-align: top; overflow-wrap: anywhere; }
.chart th[scope=col] { color: var(--faint); font-size: .92rem; }
.chart th[scope=col] + th[scope=col] { text-align: end; }
.chart td { padding: .12rem 0; vertical-align: middle; }
.chart td.n { text-align: end; padding-inline-end: .8rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.chart td.b { width: 55%; min-width: 4rem; }
.chart svg { display: block; width: 100%; height: .8rem; }
.chart rect { fill: var(--bar); }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--accent); padding: .2rem 0; }
.places { border-spacing: 0; width: 100%; }
.places th { text-align: start; color: var(--text); padding: .5rem .8rem 0 0; vertical-align: top; }
.places td { padding: .5rem 0 0; vertical-align: top; }
.places ul { margin: 0; padding-inline-start: 1.1rem; }
.places q { quotes: none; overflow-wrap: anywhere; }
mark { background: var(--mark); color: var(--text); border-radius: .15rem; }
.tree, .tree ul { list-style: none; padding-inline-start: 1.1rem; margin: .2rem 0; }
.tree li { border-inline-start: 2px solid var(--line); padding-inline-start: .7rem; overflow-wrap: anywhere; }
.filter { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; margin: .6rem 0; }
.filter label { display: grid; gap: .15rem; font-size: .92rem; color: var(--faint); }
.found { display: flex; flex-wrap: wrap; gap: 1rem 1.6rem; align-items: flex-start; margin: .8rem 0; }
.found > div { max-width: 100%; }
footer { margin-top: 3rem; padding-bottom: 3rem; border-top: 1px solid var(--line); padding-top: .8rem; }
[hidden] { display: none !important; }
@media (max-width: 34rem) {
  body { font-size: 15px; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .5rem; }
  .places, .places tbody, .places tr, .places th, .places td { display: block; }
  .places td { padding-top: 0; }
  .chart td.b { width: 38%; }
}
@media print { .stepper, .filter, nav { display: none; } .slices [hidden] { display: table !important; } }
`
