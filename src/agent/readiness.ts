/**
 * Whether the workload behind an Envoy may be sent traffic, and what keeps it from that.
 *
 * Envoy can only say that it got no configuration; the parts that know why are asked as well.
 */
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { identityObstacle, type IdentityState } from "../identity/identity-state.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import type { XdsState } from "../xdsproxy/report/state.ts";
import { refusalNote, staleNote } from "./xds-report.ts";

/** Ready when Envoy serves; the reason names the part that keeps it from serving. */
export async function readinessOfEnvoy(
  supervisor: EnvoySupervisor,
  identity: IdentityState,
  xds: XdsState,
): Promise<Readiness> {
  const envoy = await supervisor.readiness();
  // An Envoy that takes no certificate from the agent serves without one.
  const scarce = identity.secret === undefined ? undefined : identityObstacle(identity, new Date());
  if (envoy.ready && scarce !== undefined) return { ready: false, reason: scarce };
  if (envoy.ready) {
    const notes = [envoy.note, staleNote(xds), refusalNote(xds)];
    const note = notes.filter((one) => one !== undefined).join("; ");
    return note === "" ? envoy : { ready: true, note };
  }
  const causes = [identity.problem?.message, xds.problem, refusalNote(xds)];
  return {
    ready: false,
    reason: [envoy.reason, ...causes.filter((cause) => cause !== undefined)].join("; "),
  };
}
