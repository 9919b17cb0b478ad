/**
 * The state of an agent on one screen.
 */
import { describeSwap } from "../../status/contract/reload-report.ts";
import { shortType } from "../../xds/type-urls.ts";
import type { Problem } from "../../status/contract/problem.ts";
import { formatDuration } from "../../lifecycle/format-duration.ts";
import type { EnvoyReport, IdentityReport, XdsReport } from "../../status/contract/agent-report.ts";
import type { LogRecord } from "../../telemetry/journal.ts";
import type { Exchange } from "../../xdsproxy/report/recorder.ts";
import { refusalLine } from "../xds-lines.ts";
import type { AgentLook } from "./look.ts";

/** What keeps the sidecar from serving comes first, what has happened last. */
export function statusLines({ report, types, log }: AgentLook, now: Date): readonly string[] {
  const { ready, reason, problems = [], identity, xds, workload, envoy } = report;
  return [
    row(ready ? "ready" : "NOT READY", reason ?? readyWords(ready, problems.length)),
    ...problems.flatMap((problem) => problemLines(problem, now)),
    ...identityLines(identity, now),
    ...controlPlaneLines(xds, types, now),
    ...(workload === undefined
      ? []
      : [
          row(
            "workload",
            [workload.state, workload.reason ?? workload.lastFailure].filter(isTold).join(": "),
          ),
        ]),
    ...(envoy === undefined ? [row("Envoy", "none is to run")] : envoyLines(envoy, now)),
    ...(log.length === 0 ? [] : ["", "events", ...log.map(eventLine)]),
  ];
}

function readyWords(ready: boolean, problems: number): string {
  if (!ready) return "the agent does not say why";
  return problems === 0 ? "" : `with ${problems} problem${problems === 1 ? "" : "s"}`;
}

function problemLines({ cause, reason, remedy, since }: Problem, now: Date): readonly string[] {
  return [
    row("problem", `✖ ${cause}, for ${duration(since, now)}: ${reason}`),
    ...(remedy === undefined ? [] : [more(`→ ${remedy}`)]),
  ];
}

function identityLines(identity: IdentityReport, now: Date): readonly string[] {
  const { spiffeId, source, notAfter, nextRotation, problem, askedTrustDomain } = identity;
  const facts = [
    spiffeId ?? "none yet",
    source === undefined ? undefined : `from ${source}`,
    notAfter === undefined ? undefined : validity(notAfter, now),
    nextRotation === undefined ? undefined : `rotates ${distance(nextRotation, now)}`,
  ];
  return [
    row("identity", facts.filter(isTold).join(", ")),
    ...(askedTrustDomain === undefined ? [] : [more(`TRUST_DOMAIN asks for ${askedTrustDomain}`)]),
    ...(problem === undefined ? [] : [more(`✖ ${problem}`)]),
  ];
}

function controlPlaneLines(xds: XdsReport, types: readonly Exchange[], now: Date): readonly string[] {
  return [
    row("control plane", `${xds.state}, ${xds.address}`),
    ...(xds.problem === undefined ? [] : [more(`✖ ${xds.problem}`)]),
    ...(xds.stale === undefined
      ? []
      : [more(`✖ stale: what Envoy has is from ${xds.stale.asOf}, ${ago(xds.stale.asOf, now)}`)]),
    ...types.map((exchange) => more(typeLine(exchange, now))),
    ...(xds.refused ?? []).map((refusal) => more(`✖ ${refusalLine(refusal)}`)),
  ];
}

function typeLine(exchange: Exchange, now: Date): string {
  const { typeUrl, outcome, latencyMs, resources, removed, at, source, error } = exchange;
  const facts = [
    `${outcome.toUpperCase()}${latencyMs === undefined ? "" : ` after ${latencyMs} ms`}`,
    `${resources} ${resources === 1 ? "resource" : "resources"}${removed.length === 0 ? "" : `, ${removed.length} removed`}`,
    ago(at, now),
    source === "control plane" ? undefined : `from the ${source}`,
    error,
  ];
  return `${shortType(typeUrl).padEnd(24)} ${facts.filter(isTold).join(", ")}`;
}

function envoyLines(envoy: EnvoyReport, now: Date): readonly string[] {
  const { state, generation, pid, version, restarts, problem, lastExit, lastSwap } = envoy;
  const facts = [
    state,
    generation === undefined ? undefined : `generation ${generation}`,
    pid === undefined ? undefined : `pid ${pid}`,
    version,
    `${restarts} restarts`,
  ];
  return [
    row("Envoy", facts.filter(isTold).join(", ")),
    ...(problem === undefined ? [] : [more(`✖ ${problem}`)]),
    ...(envoy.swapWaitsFor === undefined ? [] : [more(`a swap waits for ${envoy.swapWaitsFor}`)]),
    ...(envoy.refused === undefined ? [] : [more(`✖ refused: ${envoy.refused}`)]),
    ...(envoy.configurationProblems ?? []).map((text) => more(`✖ ${text}`)),
    ...(lastSwap === undefined
      ? []
      : [
          more(
            `last swap ${ago(lastSwap.at, now)} for ${lastSwap.trigger}: ${describeSwap(lastSwap.report)}`,
          ),
        ]),
    ...(lastExit === undefined
      ? []
      : [more(`generation ${lastExit.generation} ended ${ago(lastExit.at, now)}: ${lastExit.message}`)]),
  ];
}

/** Time of day, level where it is more than a notice, scope, message and fields. */
export function eventLine({ at, level, scope, message, fields }: LogRecord): string {
  const data = Object.entries(fields).map(
    ([name, value]) => `${name}=${String(value).replaceAll(/\s+/g, " ")}`,
  );
  const mark = level === "info" ? "·" : "✖";
  return ["", at.slice(11, 19), mark, ...(scope === "default" ? [] : [scope]), message, ...data].join(" ");
}

function validity(notAfter: string, now: Date): string {
  const restMs = Date.parse(notAfter) - now.getTime();
  return restMs < 0 ? `✖ expired ${formatDuration(-restMs)} ago` : `valid for ${formatDuration(restMs)}`;
}

function distance(iso: string, now: Date): string {
  const restMs = Date.parse(iso) - now.getTime();
  return restMs < 0 ? "now" : `in ${formatDuration(restMs)}`;
}

function ago(iso: string, now: Date): string {
  return `${duration(iso, now)} ago`;
}

function duration(iso: string, now: Date): string {
  return formatDuration(now.getTime() - Date.parse(iso));
}

function isTold(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

function row(label: string, text: string): string {
  return `${label.padEnd(14)} ${text}`.trimEnd();
}

function more(text: string): string {
  return `${" ".repeat(14)} ${text}`;
}
