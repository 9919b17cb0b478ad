/**
 * The page that a report opens with: pure HTML without anything that is run or fetched.
 */
import type { Missing } from "../../beside/bundle/bundle.ts";
import type { ControlPlaneFacts } from "./control-plane.ts";

/** What it says. */
export interface IndexFacts {
  readonly at: Date;
  readonly version: string;
  readonly agents: readonly string[];
  readonly controlPlane?: ControlPlaneFacts;
  /** Of analyze. */
  readonly findings?: readonly string[] | undefined;
  /** Files of the report. */
  readonly names: readonly string[];
  readonly missing: readonly Missing[];
}

const style =
  ":root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;margin:2em;max-width:75em}" +
  "table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1em .2em 0;border-bottom:1px solid #8885;vertical-align:top}" +
  "code{font:13px ui-monospace,monospace}";

/** Names and reasons come from workloads: all of it is escaped, and the page forbids itself what is not. */
export function indexPage(facts: IndexFacts): string {
  const { at, version, agents, controlPlane, findings, names, missing } = facts;
  const proxies = controlPlane?.proxies ?? [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Report of a mesh, ${escaped(at.toISOString())}</title>
<style>${style}</style>
</head>
<body>
<h1>Report of a mesh</h1>
<p>Made by outriderctl ${escaped(version)} at ${escaped(at.toISOString())}. Secrets are taken out.</p>
<h2>What did not answer</h2>
${table(
  ["what", "why"],
  missing.map(({ name, reason }) => [name, reason]),
  "Everybody answered.",
)}
<h2>Control plane</h2>
<p>${escaped(controlPlane === undefined ? "None was asked." : `${controlPlane.identity?.id ?? "?"}, version ${controlPlane.identity?.version ?? "unknown"}, at ${controlPlane.address}`)}</p>
${table(
  ["proxy", "version", "types", "unhealthy"],
  proxies.map(({ name, version: release, types, unhealthy = "" }) => [
    name,
    release,
    Object.entries(types)
      .map(([type, { state, reason }]) => `${type} ${state}${reason === undefined ? "" : ` (${reason})`}`)
      .join(", "),
    unhealthy,
  ]),
  "No proxy is connected.",
)}
<h2>Findings of analyze</h2>
${table(
  ["finding"],
  (findings ?? []).map((line) => [line]),
  findings === undefined ? "Nothing was analyzed." : "Nothing was found.",
)}
<h2>Agents of this machine</h2>
<p>${escaped(agents.length === 0 ? "None." : agents.join(", "))}</p>
<h2>Files</h2>
<ul>
${names.map((name) => `<li><a href="${escaped(encodeURI(name))}"><code>${escaped(name)}</code></a></li>`).join("\n")}
</ul>
</body>
</html>
`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], otherwise: string): string {
  if (rows.length === 0) return `<p>${escaped(otherwise)}</p>`;
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${row(heads, "th")}\n${rows.map((cells) => row(cells, "td")).join("\n")}\n</table>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
