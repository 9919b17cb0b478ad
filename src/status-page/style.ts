/** How the page looks: light and dark by the reader's choice, from 360 pixels on, no colour that says something alone. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --back: #ffffff; --card: #f6f8fa; --line: #d0d7de;
  --well: #116329; --odd: #7d4e00; --bad: #a40e26; --bar: #0a58ca; --idle: #8c959f; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9da7b1; --back: #0d1117; --card: #161b22;
  --line: #30363d; --well: #56d364; --odd: #e3b341; --bad: #ff7b72; --bar: #58a6ff; --idle: #6e7681; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0.75rem 1rem; }
h1 { font-size: 1.2rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 0.5rem; }
h3 { font-size: 0.95rem; margin: 0.75rem 0 0.25rem; }
main { display: grid; gap: 0.75rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; min-width: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; margin: 0.5rem 0 0; padding: 0; }
a { color: var(--bar); }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--back); padding: 0.25rem 0.5rem; }
.reason { font-size: 1.1rem; color: var(--bad); overflow-wrap: anywhere; margin: 0.25rem 0; }
ul { padding-left: 1.2rem; margin: 0.25rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 0.25rem 1rem; margin: 0 0 0.5rem; }
dl > div { display: flex; gap: 0.5rem; min-width: 0; }
dt { color: var(--soft); flex: none; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin-top: 0.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.6rem 0.2rem 0; border-top: 1px solid var(--line); }
td:not(:last-child) { white-space: nowrap; }
td:last-child { overflow-wrap: anywhere; min-width: 12rem; }
.none, .small, footer { color: var(--soft); font-size: 0.9rem; margin: 0.25rem 0; }
.sign.well { color: var(--well); } .sign.odd { color: var(--odd); } .sign.bad { color: var(--bad); }
svg { display: block; width: 100%; }
.life { height: 8px; margin: 0.2rem 0; }
.life .whole { fill: var(--line); } .life.well .used { fill: var(--bar); }
.life.odd .used { fill: var(--odd); } .life.bad .used { fill: var(--bad); }
.lives { list-style: none; padding: 0; }
.time-line { max-height: 14rem; }
.time-line text { fill: var(--text); font-size: 12px; } .time-line .end.unasked { fill: var(--bad); }
.phase { fill: var(--idle); } .phase.serving { fill: var(--well); } .phase.hung { fill: var(--bad); }
.phase.starting, .phase.newcomer { fill: var(--bar); } .phase.draining, .phase.retiring { fill: var(--odd); }
#connection { font-weight: 600; }
`;
