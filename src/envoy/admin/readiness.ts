/**
 * Whether an Envoy serves, decided from its statistics.
 */
import type { Stats } from "./admin.ts";

/**
 * What an Envoy that serves has, each after the one before it: a process that is there to stay, addresses of the clusters
 * that it starts with, accepted configuration, the state LIVE, workers, and a proof of all that it is to serve.
 */
export const envoyConditions = [
  "process",
  "clusters",
  "configuration",
  "live",
  "workers",
  "generation",
] as const;

/** One of them. */
export type EnvoyCondition = (typeof envoyConditions)[number];

/** The verdict, with the reason when it is no. */
export type EnvoyReadiness =
  | {
      readonly ready: true;
      /** What a reader should know all the same. */
      readonly note?: string;
    }
  | {
      readonly ready: false;
      /** The first that does not hold. */
      readonly fails: EnvoyCondition;
      readonly reason: string;
    };

/** RE2 expression of the statistics that `envoyReadiness` reads. */
export const readinessStats: string =
  "^(server\\.state|listener_manager\\.workers_started|" +
  "(cluster_manager\\.cds|listener_manager\\.lds)\\.(update_success|update_rejected|update_attempt))$";

/** `server.state` (Envoy's statistics documentation). */
const states = ["LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"];

const preInitializing = states.indexOf("PRE_INITIALIZING");

/** Ready is: the configuration that Envoy waits for received, LIVE, workers running. */
export function envoyReadiness(
  stats: Stats,
  awaits: { readonly clusters: boolean; readonly listeners: boolean; readonly names: readonly string[] },
): EnvoyReadiness {
  const cds = updates(stats, "cluster_manager.cds");
  const lds = updates(stats, "listener_manager.lds");
  if (awaits.names.length > 0 && stats.get("server.state") === preInitializing && cds.attempts === 0) {
    const reason = `Envoy first looks up the names of its own clusters: ${awaits.names.join("; ")}`;
    return unready("clusters", `${reason} (wait_for_warm_on_init: false lets it serve without)`);
  }
  if ((awaits.clusters && cds.accepted === 0) || (awaits.listeners && lds.accepted === 0)) {
    const counts = `CDS ${cds.accepted} accepted, ${cds.rejected} rejected; LDS ${lds.accepted} accepted, ${lds.rejected} rejected`;
    return unready("configuration", `${missingConfiguration(cds, lds)} (${counts})`);
  }
  const state = stats.get("server.state");
  if (state !== 0) return unready("live", `Envoy is ${stateName(state)}, not LIVE`);
  if (stats.get("listener_manager.workers_started") !== 1)
    return unready("workers", "Envoy's workers have not started");
  return { ready: true };
}

/** Why it is not ready. */
export function unready(fails: EnvoyCondition, reason: string): EnvoyReadiness {
  return { ready: false, fails, reason };
}

/** It has its clusters and has not asked for its listeners: a cluster may hold it back. */
export function mayBeHeldByClusters(stats: Stats): boolean {
  const cds = updates(stats, "cluster_manager.cds");
  const lds = updates(stats, "listener_manager.lds");
  return cds.accepted > 0 && lds.attempts === 0;
}

interface Updates {
  readonly attempts: number;
  readonly accepted: number;
  readonly rejected: number;
}

function updates(stats: Stats, prefix: string): Updates {
  return {
    attempts: stats.get(`${prefix}.update_attempt`) ?? 0,
    accepted: stats.get(`${prefix}.update_success`) ?? 0,
    rejected: stats.get(`${prefix}.update_rejected`) ?? 0,
  };
}

function missingConfiguration(cds: Updates, lds: Updates): string {
  if (cds.rejected > 0 || lds.rejected > 0) return "Envoy rejected the control plane's configuration";
  if (cds.accepted === 0 && lds.accepted === 0) return "no configuration from the control plane yet";
  return "the control plane's configuration is not complete yet";
}

function stateName(state: number | undefined): string {
  return state === undefined ? "in an unknown state" : (states[state] ?? `in state ${state}`);
}
