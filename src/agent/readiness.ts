/**
 * Whether the workload behind an Envoy may be sent traffic, and what keeps it from that.
 *
 * Envoy can only say that it got no configuration; the parts that know why are asked as well.
 */
import { envoyConditions, type EnvoyReadiness } from "../envoy/admin/readiness.ts";
import { fileAgeMs } from "../lifecycle/wall-clock.ts";
import { identityObstacle, type IdentityState } from "../identity/identity-state.ts";
import type { ConditionFinding } from "../status/contract/readiness.ts";
import type { XdsState } from "../xdsproxy/report/state.ts";
import { finding } from "./condition-finding.ts";
import { refusalNote, staleNote } from "./xds-report.ts";

/** Names of the mesh, where the agent answers DNS from them. */
export interface NameTableState {
  /** The control plane has sent a table, be it empty. */
  readonly isReceived: boolean;
  /** When the control plane last stood behind the table, where it is one that was kept from an earlier life. */
  readonly keptAsOf?: Date | undefined;
}

/** What decides. */
export interface ReadinessFacts {
  readonly envoy: EnvoyReadiness;
  readonly identity: IdentityState;
  readonly xds: XdsState;
  /** Undefined where the agent serves no DNS. */
  readonly nameTable: NameTableState | undefined;
  readonly now: Date;
}

/** Readiness as it is found at one moment. */
export type FoundReadiness = (
  { readonly ready: true; readonly note?: string } | { readonly ready: false; readonly reason: string }
) & { readonly findings: readonly ConditionFinding[] };

/** Ready when Envoy serves; the reason names the part that keeps it from serving. */
export function findReadiness({ envoy, identity, xds, nameTable, now }: ReadinessFacts): FoundReadiness {
  // An Envoy that takes no certificate from the agent serves without one.
  const isBare = identity.secret === undefined && envoy.ready;
  const scarce = isBare ? undefined : identityObstacle(identity, now);
  const nameless =
    nameTable?.isReceived === false
      ? "DNS is on, and the control plane has sent no name table yet"
      : undefined;
  const findings = [
    ...envoyFindings(envoy),
    ...(isBare ? [] : [finding("certificate", scarce)]),
    ...(nameTable === undefined ? [] : [finding("name-table", nameless)]),
  ];
  if (!envoy.ready) {
    const causes = [identity.problem?.message, xds.problem, refusalNote(xds)];
    const known = [envoy.reason, ...causes.filter((cause) => cause !== undefined)];
    return { ready: false, reason: known.join("; "), findings };
  }
  const obstacles = [scarce, nameless].filter((obstacle) => obstacle !== undefined);
  if (obstacles.length > 0) return { ready: false, reason: obstacles.join("; "), findings };
  const notes = [envoy.note, staleNote(xds), namesNote(nameTable), refusalNote(xds)].filter(
    (one) => one !== undefined,
  );
  return { ready: true, ...(notes.length === 0 ? {} : { note: notes.join("; ") }), findings };
}

/** Undefined unless names are answered from the cache. */
function namesNote(nameTable: NameTableState | undefined): string | undefined {
  if (nameTable?.keptAsOf === undefined) return undefined;
  const ageSeconds = Math.round(fileAgeMs(nameTable.keptAsOf.getTime()) / 1_000);
  return `stale: names of the mesh of ${ageSeconds} s ago, from the cache`;
}

function envoyFindings(envoy: EnvoyReadiness): readonly ConditionFinding[] {
  const failing = envoy.ready ? envoyConditions.length : envoyConditions.indexOf(envoy.fails);
  return envoyConditions.map((name, index) => {
    if (index > failing) return { name, status: "unknown" };
    return finding(name, index < failing || envoy.ready ? undefined : envoy.reason);
  });
}
