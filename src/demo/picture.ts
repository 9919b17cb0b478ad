/**
 * The live picture: a pure function from the mesh's state to lines of a terminal.
 *
 * What a person needs to go on (the folder, the pages, how to stop) comes first, what is wrong last and in full; whatever
 * does not fit is scrolled.
 */
import { fitted, wrapped } from "../command/wrap.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { type Call, sharesOf } from "./calls.ts";
import { type MeshState, requestRate, type SidecarState } from "./state.ts";
import { describeEnvoy, describeResult, percentile } from "./words.ts";

/** What surrounds the state. */
export interface PictureContext {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
  readonly now: Date;
  readonly configFolder: string;
  readonly logFolder: string;
  /** Of the mesh, and of each sidecar. */
  readonly pages: readonly string[];
  readonly calls: readonly Call[];
  /** Oldest first. */
  readonly events: readonly MeshEvent[];
  /** By how many lines the list is scrolled up from its end. */
  readonly scrolled: number;
}

/** Something that has happened. */
export interface MeshEvent {
  readonly at: Date;
  readonly text: string;
}

const colors = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 } as const;

/** A line of text and its colour. */
interface Line {
  readonly text: string;
  readonly color?: keyof typeof colors;
}

/** As many lines as there are rows at most, none longer than the terminal is wide. */
export function drawMesh(state: MeshState, context: PictureContext): readonly string[] {
  const { columns, rows, colour } = context;
  const fixed = [...wayOn(context), ...body(state, context)];
  const room = Math.max(1, rows - fixed.length - 1);
  const list = listed(state, context);
  const end = list.length - Math.min(context.scrolled, Math.max(0, list.length - room));
  const shown = list.slice(Math.max(0, end - room), end);
  const hidden = list.length - shown.length;
  const heading = {
    text: `What happened${hidden === 0 ? "" : ` (${hidden} more lines: ↑ ↓)`}`,
    color: "bold",
  } as const;
  return [...fixed, heading, ...shown]
    .slice(0, rows)
    .map(({ text, color }) => paint(fitted(text, columns), colour ? color : undefined));
}

/** How far a list of this state can be scrolled up. */
export function mostScrolled(state: MeshState, context: PictureContext): number {
  const room = Math.max(1, context.rows - wayOn(context).length - body(state, context).length - 1);
  return Math.max(0, listed(state, context).length - room);
}

/** How to go on from here; paths are never cut. */
function wayOn({ columns, configFolder, logFolder, pages }: PictureContext): readonly Line[] {
  return [
    { text: "outrider up: app → web's Envoy → mutual TLS → api's Envoy → app", color: "bold" },
    ...[
      `Ctrl-C stops everything. Edit ${configFolder} and watch`,
      `Pages ${pages.join(" ")}`,
      `Logs ${logFolder}`,
    ].flatMap((text) => wrapped(text, columns).map((line): Line => ({ text: line, color: "dim" }))),
    { text: "" },
  ];
}

function body(state: MeshState, context: PictureContext): readonly Line[] {
  const { requests, controlPlane, sidecars } = state;
  const isHealthy = requests.last?.kind === "answered" && requests.last.status === 200;
  const ms = (share: number): string => percentile(requests.recentMs, share)?.toFixed(1) ?? "-";
  const results = `${requests.succeeded} good, ${requests.failed} bad, ${requestRate(requests).toFixed(1)}/s`;
  const shares = sharesOf(requests.recent).join(", ");
  return [
    marked(controlPlane.problems.length === 0, `control plane ${controlPlane.address}`),
    ...sidecars.flatMap((sidecar) => sidecarLines(sidecar, context.now)),
    marked(isHealthy, `calls  ${results}, p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms`),
    {
      text: `  last      ${requests.last === undefined ? "none yet" : describeResult(requests.last)}`,
      ...(isHealthy ? {} : { color: "yellow" as const }),
    },
    {
      text: `  measured  ${shares === "" ? "nothing yet" : `of the last ${requests.recent.length}: ${shares}`}`,
    },
    ...wrapped(
      context.calls.map(({ from, to, outcome }) => `${from}→${to} ${outcome}`).join(", ") || "not tried yet",
      Math.max(1, context.columns - 12),
    ).map((text, index) => ({ text: `  ${index === 0 ? "who may  " : "         "} ${text}` })),
  ];
}

function sidecarLines(entry: SidecarState, now: Date): readonly Line[] {
  const { report, name, pid, exit } = entry;
  const notAfter = report?.identity.notAfter;
  const left =
    notAfter === undefined
      ? "no certificate yet"
      : formatDuration(new Date(notAfter).getTime() - now.getTime());
  return [
    marked(
      exit === undefined && report?.ready === true,
      `${name}  Envoy ${describeEnvoy(entry)}, restarts ${report?.envoy.restarts ?? 0}, agent pid ${pid ?? "-"}`,
    ),
    {
      text: `  identity  ${report?.identity.spiffeId ?? "none yet"}, ${notAfter === undefined ? left : `expires in ${left}`}`,
    },
    { text: `  xDS       ${report?.xds.state ?? "unknown"} ${report?.xds.address ?? ""}` },
  ];
}

/** What happened, then what is wrong now, in full. */
function listed(state: MeshState, { columns, events }: PictureContext): readonly Line[] {
  const item = (text: string, color?: keyof typeof colors): readonly Line[] =>
    wrapped(text, Math.max(1, columns - 4)).map((line, index) => ({
      text: `${index === 0 ? "  " : "    "}${line}`,
      ...(color === undefined ? {} : { color }),
    }));
  return [
    ...events.flatMap(({ at, text }) => item(`${at.toTimeString().slice(0, 8)} ${text}`)),
    ...problemsOf(state).flatMap((text) => item(`now: ${text}`, "red")),
  ];
}

function problemsOf({ controlPlane, sidecars }: MeshState): readonly string[] {
  return [
    ...controlPlane.problems,
    ...sidecars.flatMap(({ name, exit, report }) => {
      const problem = exit ?? report?.reason ?? report?.identity.problem ?? report?.xds.problem;
      return problem === undefined ? [] : [`${name}: ${problem}`];
    }),
  ];
}

function marked(isGood: boolean, text: string): Line {
  return { text: `${isGood ? "●" : "○"} ${text}`, color: isGood ? "green" : "yellow" };
}

function paint(text: string, color: keyof typeof colors | undefined): string {
  return color === undefined || text === "" ? text : `\u001B[${colors[color]}m${text}\u001B[0m`;
}
