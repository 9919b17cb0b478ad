/**
 * The demo mesh as a page: who calls whom over which identity, with what result.
 */
import { html, type Html } from "../status-page/html.ts";
import { renderDocument } from "../status-page/document.ts";
import { facts, type Section, sign, table } from "../status-page/sections/parts.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import type { Ports } from "./ports.ts";
import { type MeshState, requestRate, type SidecarState } from "./state.ts";
import { describeEnvoy, describeResult, percentile } from "./words.ts";

/** What surrounds the state. */
export interface MeshPageContext {
  readonly ports: Ports;
  readonly configFolder: string;
  readonly now: Date;
}

/** Where a page is read from this machine. */
export function pageUrl(port: number): string {
  return `http://127.0.0.1:${port}/`;
}

/** In the order in which they are read. */
export function meshSections(state: MeshState, context: MeshPageContext): readonly Section[] {
  return [
    { id: "calls", name: "Calls", body: calls(state) },
    ...state.sidecars.map((sidecar) => ({
      id: sidecar.name,
      name: sidecar.name,
      body: sidecarBody(sidecar, context),
    })),
    { id: "control-plane", name: "Control plane", body: controlPlane(state, context) },
  ];
}

/** The whole document. */
export function renderMeshPage(state: MeshState, context: MeshPageContext): string {
  return renderDocument({
    title: "The demo mesh",
    about: "web calls api through both Envoys",
    now: context.now,
    sections: meshSections(state, context),
    footer: html`Edit the files in ${context.configFolder}, and watch.`,
  });
}

function calls({ requests }: MeshState): Html {
  const { last, succeeded, failed, recentMs } = requests;
  const isGood = last?.kind === "answered" && last.status === 200;
  const caller = last?.kind === "answered" ? last.answer?.caller : undefined;
  const ms = (share: number): string => `${percentile(recentMs, share)?.toFixed(1) ?? "-"} ms`;
  return html`<h2>${sign(isGood ? "well" : "odd")} Calls</h2>
    ${table(
      "Who calls whom",
      ["from", "to", "called as", "per second", "good", "bad", "p50", "p99", "last"],
      [
        [
          ...["web", "api", caller === undefined || caller === "" ? "nobody yet" : caller],
          ...[requestRate(requests).toFixed(1), succeeded, failed, ms(0.5), ms(0.99)],
          last === undefined ? "none yet" : describeResult(last),
        ],
      ],
      "",
    )}`;
}

function sidecarBody(sidecar: SidecarState, { ports, now }: MeshPageContext): Html {
  const { name, report, pid, exit } = sidecar;
  const notAfter = report?.identity.notAfter;
  const page = pageUrl(ports[name === "web" ? "web.status" : "api.status"]);
  return html`<h2>${sign(report?.ready === true ? "well" : "bad")} ${name}</h2>
    ${facts([
      ["page", html`<a href="${page}">${page}</a>`],
      ["agent", pid],
      ["problem", exit ?? report?.reason ?? report?.identity.problem ?? report?.xds.problem],
      ["identity", report?.identity.spiffeId ?? "none yet"],
      [
        "certificate",
        notAfter === undefined
          ? "none yet"
          : `ends in ${formatDuration(Date.parse(notAfter) - now.getTime())}`,
      ],
      ["xDS", report === undefined ? "unknown" : `${report.xds.state} ${report.xds.address}`],
      ["Envoy", describeEnvoy(sidecar)],
      ["restarts", report?.envoy.restarts],
    ])}`;
}

function controlPlane(
  { controlPlane: { address, problems } }: MeshState,
  { configFolder }: MeshPageContext,
): Html {
  return html`<h2>${sign(problems.length === 0 ? "well" : "bad")} Control plane</h2>
    ${facts([
      ["address", address],
      ["configuration", configFolder],
    ])}
    ${
      problems.length === 0
        ? undefined
        : html`<ul>
            ${problems.map((problem) => html`<li>${problem}</li>`)}
          </ul>`
    }`;
}
