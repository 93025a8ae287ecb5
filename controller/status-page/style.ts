// How the page looks: one sheet without fonts, pictures or anything from elsewhere. Light and dark
// go by what the reader's system says; each text has a contrast of 4.5 and more, each mark of 3.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1b1f24; --soft: #545d68; --edge: #d3d8de;
  --link: #0a58b8; --focus: #0a58b8;
  --used: #2f6fb7; --reserved: #8fb8e4; --track: #e3e7ec; --limit: #1b1f24; --line: #b3261e;
  --hurt: #b3261e; --hurt-back: #fdecea; --warned: #8a5300; --warned-back: #fff4e0;
  --holds-back: #e6f1fd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1b2027; --text: #e8ebef; --soft: #a8b1bc; --edge: #39424d;
    --link: #7db8ff; --focus: #7db8ff;
    --used: #5b9be6; --reserved: #2f5c8f; --track: #323a44; --limit: #e8ebef; --line: #ff8a80;
    --hurt: #ff9b92; --hurt-back: #3a1f1f; --warned: #ffc266; --warned-back: #33291a;
    --holds-back: #1d2f45;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
header, main { max-width: 1500px; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.25rem; padding-top: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0; }
header p { margin: 0.25rem 0; color: var(--soft); overflow-wrap: anywhere; }
main { padding-bottom: 3rem; }
main:focus { outline: none; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.5rem; z-index: 2; }
.refresh { margin-left: auto; display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem;
  align-items: center; }
header p.refresh { margin-left: auto; }
#trouble:not(:empty) { color: var(--hurt); font-weight: 600; }
button, input, select {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft);
  border-radius: 5px; padding: 0.25rem 0.6rem; min-height: 2rem;
}
button { cursor: pointer; }
button[aria-pressed="true"] { background: var(--warned-back); }
.sentence { font-weight: 600; margin: 0.75rem 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.75rem;
  margin: 0.75rem 0; }
.figures div, section { background: var(--card); border: 1px solid var(--edge);
  border-radius: 8px; }
.figures div { padding: 0.5rem 0.9rem; }
dt { color: var(--soft); font-size: 0.87rem; }
dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0;
  margin: 0.75rem 0; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin: 0.75rem 0; }
input[type="search"] { width: 17rem; max-width: 100%; }
::placeholder { color: var(--soft); opacity: 1; }
section { margin: 1rem 0; padding: 0.75rem 0 0.25rem; }
section h2, .legend, .empty, .more { padding: 0 0.9rem; }
h2 { scroll-margin-top: 1rem; }
.legend { margin: 0.25rem 0 0; color: var(--soft); font-size: 0.87rem; }
.scroll { overflow-x: auto; margin-top: 0.25rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: 0.87rem; padding: 0.25rem 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.7rem;
  border-top: 1px solid var(--edge); }
th:first-child, td:first-child { padding-left: 0.9rem; }
thead th { font-size: 0.87rem; color: var(--soft); font-weight: 600; border-top: 0;
  white-space: nowrap; }
tbody th { font-weight: 600; width: 18rem; min-width: 12rem; overflow-wrap: break-word; }
td { white-space: nowrap; }
td.wide { white-space: normal; min-width: 10rem; overflow-wrap: break-word; }
.right { text-align: right; }
.words { display: block; font-size: 0.87rem; font-weight: 400; color: var(--soft);
  overflow-wrap: break-word; }
.bar { display: block; width: 13rem; height: 0.95rem; margin-top: 0.2rem; overflow: visible; }
.track { fill: var(--track); }
.used { fill: var(--used); background: var(--used); }
.reserved { fill: var(--reserved); background: var(--reserved); }
path.limit { stroke: var(--limit); stroke-width: 2; }
path.line { stroke: var(--line); stroke-width: 1.6; fill: var(--line); }
.key { display: inline-block; width: 0.9rem; height: 0.7rem; margin: 0 0.3rem 0 0.9rem; }
.key:first-child { margin-left: 0; }
.key.limit { width: 2px; height: 0.9rem; background: var(--limit); vertical-align: -1px; }
svg.key { width: 0.7rem; height: 0.95rem; vertical-align: -2px; }
progress, meter { width: 13rem; height: 0.9rem; display: block; margin-top: 0.2rem; }
progress { appearance: none; border: 0; border-radius: 2px; overflow: hidden;
  background: var(--track); color: var(--used); }
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: var(--used); }
meter::-webkit-meter-bar { background: var(--track); border: 0; border-radius: 2px;
  height: 0.8rem; }
meter::-webkit-meter-optimum-value { background: var(--used); }
meter::-moz-meter-bar { background: var(--used); }
progress::-moz-progress-bar { background: var(--used); }
tr.hurt { background: var(--hurt-back); }
tr.hurt .state { color: var(--hurt); font-weight: 600; }
tr.warned { background: var(--warned-back); }
tr.warned .state { color: var(--warned); font-weight: 600; }
tr.holds { background: var(--holds-back); }
.none { color: var(--soft); }
.standby { font-size: 1.15rem; }
pre { background: var(--card); border: 1px solid var(--edge); border-radius: 6px; padding: 0.75rem;
  overflow-x: auto; }
@media (max-width: 640px) {
  header, main { padding-left: 0.75rem; padding-right: 0.75rem; }
  .refresh, header p.refresh { margin-left: 0; }
  table, tbody, caption { display: block; }
  thead { position: absolute; clip-path: inset(50%); height: 1px; width: 1px; overflow: hidden; }
  tr { display: block; border-top: 1px solid var(--edge); padding: 0.4rem 0.9rem 0.6rem; }
  tbody th, tbody th:first-child { display: block; border: 0; padding: 0; width: auto;
    overflow-wrap: anywhere; }
  td, td.wide, td.right { display: flow-root; border: 0; min-width: 0;
    padding: 0.1rem 0 0.1rem 7rem; text-align: left; white-space: normal;
    overflow-wrap: anywhere; }
  td::before { content: attr(data-t); float: left; margin-left: -7rem; width: 6.5rem;
    color: var(--soft); font-size: 0.87rem; }
  .bar, progress, meter { width: 100%; max-width: 13rem; }
  form label:first-child { flex: 1 1 100%; }
  input[type="search"] { width: 100%; }
}
@media (forced-colors: active) {
  .used, .key.used { fill: Highlight; background: Highlight; forced-color-adjust: none; }
  .track { fill: Canvas; stroke: CanvasText; }
  .reserved { fill: GrayText; }
  path.limit, path.line { stroke: CanvasText; }
}
`;

/** For the tab. */
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2f6fb7" ' +
  'd="M1 9h14l-2 5H3zM3 5h4v3H3zM8 5h4v3H8zM5 1h4v3H5z"/></svg>';
