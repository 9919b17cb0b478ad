/**
 * The live picture: a pure function from the mesh's state to lines of a terminal.
 */
import type { MeshState, SidecarState } from "./state.ts";
import { describeDuration, describeEnvoy, describeResult, percentile } from "./words.ts";

/** What surrounds the state. */
export interface PictureContext {
  readonly columns: number;
  readonly now: Date;
  readonly configFolder: string;
  readonly logFolder: string;
  /** Of the mesh, and of each sidecar. */
  readonly pages: readonly string[];
}

const colors = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 } as const;

/** The lines, none longer than the terminal is wide. */
export function drawMesh(state: MeshState, context: PictureContext): readonly string[] {
  const { columns } = context;
  const row = (label: string, value: string, color?: keyof typeof colors): string =>
    `  ${label.padEnd(13)}${paint(fit(value, columns - 16), color)}`;
  const sidecar = (entry: SidecarState): readonly string[] => {
    const { report } = entry;
    const problem =
      entry.exit === undefined
        ? (report?.reason ?? report?.identity.problem ?? report?.xds.problem)
        : entry.exit;
    const notAfter = report?.identity.notAfter;
    const left = notAfter === undefined ? undefined : new Date(notAfter).getTime() - context.now.getTime();
    return [
      `${mark(report?.ready === true)} ${paint(entry.name, "bold")} ${paint(fit(`agent pid ${entry.pid ?? "-"}`, columns - entry.name.length - 4), "dim")}`,
      row("identity", report?.identity.spiffeId ?? "none yet"),
      row("certificate", left === undefined ? "none yet" : `expires in ${describeDuration(left)}`),
      row("xDS", `${report?.xds.state ?? "unknown"} ${report?.xds.address ?? ""}`),
      row("Envoy", describeEnvoy(entry)),
      row("restarts", String(report?.envoy.restarts ?? 0)),
      ...(problem === undefined ? [] : [row("problem", problem, "red")]),
    ];
  };
  const { requests, controlPlane } = state;
  const isHealthy = requests.last?.kind === "answered" && requests.last.status === 200;
  const milliseconds = (share: number): string => percentile(requests.recentMs, share)?.toFixed(1) ?? "-";
  return [
    paint(fit("outrider up — app → web's Envoy → mutual TLS → api's Envoy → app", columns), "bold"),
    "",
    `${mark(controlPlane.problems.length === 0)} ${paint("control plane", "bold")} ${paint(fit(controlPlane.address, columns - 17), "dim")}`,
    ...controlPlane.problems.map((problem) => row("refused", problem, "red")),
    "",
    ...state.sidecars.flatMap((entry) => [...sidecar(entry), ""]),
    `${mark(isHealthy)} ${paint("requests", "bold")}`,
    row("results", `${requests.succeeded} good, ${requests.failed} bad`),
    row(
      "last",
      requests.last === undefined ? "none yet" : describeResult(requests.last),
      isHealthy ? undefined : "yellow",
    ),
    row("latency", `p50 ${milliseconds(0.5)} ms, p99 ${milliseconds(0.99)} ms`),
    "",
    paint(
      fit(`configuration ${context.configFolder} (edit it and watch), logs ${context.logFolder}`, columns),
      "dim",
    ),
    paint(fit(`pages ${context.pages.join(" ")}`, columns), "dim"),
    paint(fit("Ctrl-C stops everything", columns), "dim"),
  ];
}

function mark(isGood: boolean): string {
  return isGood ? paint("●", "green") : paint("○", "yellow");
}

function paint(text: string, color: keyof typeof colors | undefined): string {
  return color === undefined ? text : `\u001B[${colors[color]}m${text}\u001B[0m`;
}

function fit(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? "" : `${text.slice(0, width - 1)}…`;
}
