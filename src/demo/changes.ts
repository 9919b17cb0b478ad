/**
 * What a person without a live picture wants to hear: one line per change.
 */
import type { MeshState, SidecarState } from "./state.ts";
import { describeEnvoy, describeResult } from "./words.ts";

/** Lines about what differs; everything counts as different from nothing. */
export function describeChanges(previous: MeshState | undefined, next: MeshState): readonly string[] {
  return [
    ...differing(
      previous?.controlPlane.problems.join("\n"),
      next.controlPlane.problems.join("\n"),
      next.controlPlane.problems.length === 0
        ? [`control plane: serving on ${next.controlPlane.address}`]
        : next.controlPlane.problems.map((problem) => `control plane: ${problem}`),
    ),
    ...next.sidecars.flatMap((sidecar, index) => sidecarChanges(previous?.sidecars[index], sidecar)),
    ...differing(requestKind(previous), requestKind(next), [requestLine(next)]),
  ];
}

function sidecarChanges(previous: SidecarState | undefined, next: SidecarState): readonly string[] {
  const say = (text: string): readonly string[] => [`${next.name}: ${text}`];
  const { report } = next;
  const before = previous?.report;
  if (next.exit !== undefined) return differing(previous?.exit, next.exit, say(`agent ${next.exit}`));
  if (report === undefined) return [];
  const { identity, xds } = report;
  return [
    ...(identity.notAfter === undefined
      ? []
      : differing(
          before?.identity.notAfter,
          identity.notAfter,
          say(`certificate ${identity.spiffeId ?? ""} until ${identity.notAfter}`),
        )),
    ...differing(before?.xds.state, xds.state, say(`xDS ${xds.state} ${xds.address}`)),
    ...(report.envoy.lastExit === undefined
      ? []
      : differing(
          before?.envoy.lastExit?.generation,
          report.envoy.lastExit.generation,
          say(`Envoy ended: ${report.envoy.lastExit.message}`),
        )),
    ...differing(
      envoyKey(before),
      envoyKey(report),
      say(`Envoy ${describeEnvoy(next)}, restarts ${report.envoy.restarts}`),
    ),
    ...differing(
      before?.ready,
      report.ready,
      say(report.ready ? "ready" : `not ready: ${report.reason ?? ""}`),
    ),
  ];
}

function envoyKey(report: SidecarState["report"]): string {
  return report === undefined
    ? ""
    : `${report.envoy.state} ${report.envoy.pid ?? ""} ${report.envoy.restarts}`;
}

/** Requests change when the kind of their result does, not with each of them. */
function requestKind(state: MeshState | undefined): string {
  const last = state?.requests.last;
  if (last === undefined) return "";
  return last.kind === "failed"
    ? "failed"
    : `${last.status} ${last.answer?.app ?? ""} ${last.answer?.caller ?? ""}`;
}

function requestLine({ requests }: MeshState): string {
  return `requests: ${requests.last === undefined ? "none yet" : describeResult(requests.last)}`;
}

function differing<T>(previous: T, next: T, lines: readonly string[]): readonly string[] {
  return previous === next ? [] : lines;
}
