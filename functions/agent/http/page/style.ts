/** The style sheet. It loads no fonts or images. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1d2329; --faint: #5b6570; --line: #dde2e7; --band: #f6f8fa; --link: #0b5cad;
  --good: #17692f; --waiting: #80550a; --bad: #b3261e; --neutral: #5b6570;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --ink: #dfe4e8; --faint: #9aa5b0; --line: #2e353c; --band: #1b2026; --link: #7db8f5;
    --good: #7ccf94; --waiting: #e2b866; --bad: #ff9d94; --neutral: #9aa5b0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 3rem; max-width: 100rem;
  background: var(--paper); color: var(--ink);
  font: 0.9375rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1, h2 { margin: 0; font-weight: 600; line-height: 1.25; }
h1 { font-size: 1.5rem; }
h2 { margin: 2rem 0 0.75rem; font-size: 1.0625rem; }
p { margin: 0.25rem 0; max-width: 50rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.mono { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 0.9375em; }

.state { font-weight: 600; white-space: nowrap; }
.state::before { display: inline-block; width: 1.25em; }
.good { color: var(--good); } .good::before { content: '✓'; content: '✓' / ''; }
.waiting { color: var(--waiting); } .waiting::before { content: '…'; content: '…' / ''; }
.bad { color: var(--bad); } .bad::before { content: '✕'; content: '✕' / ''; }
.neutral { color: var(--neutral); } .neutral::before { content: '–'; content: '–' / ''; }

dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.375rem 1.5rem; margin: 1rem 0 0; }
dt { color: var(--faint); }
dd { margin: 0; max-width: 60rem; }
ul { margin: 0; padding: 0; list-style: none; }
.zones { display: flex; flex-wrap: wrap; gap: 0.375rem 2rem; }
.zones .mono { margin-right: 0.375rem; }
.zones .with-message { flex-basis: 100%; }

form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-bottom: 1rem; }
input, button {
  min-height: 2.25rem; padding: 0.25rem 0.75rem; border: 1px solid var(--faint); border-radius: 4px;
  background: var(--paper); color: inherit; font: inherit;
}
input { flex: 1 1 8rem; max-width: 26rem; min-width: 0; }
button { background: var(--band); cursor: pointer; }
.verdicts { display: flex; flex-wrap: wrap; gap: 0.375rem 0.5rem; }
.verdicts a {
  display: inline-block; padding: 0.125rem 0.625rem; border: 1px solid var(--line); border-radius: 4px;
  color: inherit; text-decoration: none;
}
.verdicts a:hover { border-color: var(--faint); }
.verdicts a[aria-current] { border-color: currentColor; background: var(--band); font-weight: 600; }
.verdicts b { margin-left: 0.375rem; font-weight: 400; color: var(--faint); font-variant-numeric: tabular-nums; }

table { width: 100%; margin-top: 1rem; border-collapse: collapse; table-layout: fixed; font-size: 0.875rem; }
caption { padding-bottom: 0.5rem; text-align: left; color: var(--faint); }
th, td { padding: 0.5rem 1rem 0.5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; font-weight: 600; color: var(--faint); overflow-wrap: normal; }
tbody th { font-weight: 600; }
tbody tr:hover { background: var(--band); }
thead th:nth-child(1) { width: 24%; } thead th:nth-child(2) { width: 11.5rem; } thead th:nth-child(4) { width: 14%; }
thead th:nth-child(5) { width: 7.25rem; } thead th:nth-child(6) { width: 6.75rem; padding-right: 0; }
.object { font-weight: 400; color: var(--faint); }
time, .number { font-variant-numeric: tabular-nums; }
details { border-top: 1px solid var(--line); padding: 0.5rem 0; max-width: 60rem; }
summary { font-weight: 600; cursor: pointer; }
pre {
  margin: 0.5rem 0 0.75rem; padding: 0.5rem 0.75rem; border-radius: 4px; background: var(--band);
  white-space: pre-wrap;
}
nav { margin-top: 0.75rem; }
form + nav { margin-top: 0; }
h2 .object { display: block; font-size: 0.875rem; }
.hint { margin: 1rem 0 0; }
.more { margin-top: 1rem; color: var(--faint); }
footer { margin-top: 2.5rem; padding-top: 0.75rem; border-top: 1px solid var(--line); color: var(--faint); }

@media (max-width: 64rem) {
  body { padding-top: 1.25rem; }
  table, caption, tbody, tbody tr, tbody th, tbody td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: 0.625rem 0; border-top: 1px solid var(--line); }
  tbody tr:hover { background: none; }
  tbody th, tbody td { padding: 0.125rem 0; border: 0; }
  tbody td[data-label] { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0 0.75rem; }
  tbody td[data-label]::before { content: attr(data-label); color: var(--faint); }
  tbody td:empty { display: none; }
}
@media (max-width: 40rem) {
  dl { display: block; }
  dt { margin-top: 0.5rem; }
}
`;
