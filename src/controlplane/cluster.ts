/**
 * What a control plane does in a cluster besides following it: the CA's key is a Secret, tokens are reviewed, and one of all
 * control planes writes the root into every namespace, and the status of objects.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { makeOwnFolder } from "../files/own-folder.ts";
import { retrying } from "../lifecycle/retry.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { keepCaBundle } from "./admission/ca-bundle.ts";
import { type CaFileName, caFileNames, CaMaterialError } from "./ca/check-material.ts";
import { type ClusterCaFiles, clusterCaFiles, readClusterCa } from "./ca/cluster-secret.ts";
import { type CaFolder, pluggedInCa } from "./ca/material.ts";
import { keepRootConfigMaps } from "./ca/root-config-maps.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { KubernetesError } from "./kubernetes/api-error.ts";
import { LeaseHolder } from "./kubernetes/lease.ts";
import { WriteMetrics } from "./kubernetes/object-writer.ts";
import { keepStatus } from "./object-status/keep-status.ts";
import type { Configuration } from "./registry/registry.ts";

/** Where the CA's key is. */
export interface ClusterCaOptions {
  readonly namespace: string;
  readonly trustDomain: string;
  readonly stateDir: string;
}

/** Between two tries at a cluster that does not answer. */
const backoff = { initialMs: 500, multiplier: 2, maxMs: 15_000, jitter: 0.3 };

/**
 * The CA of the cluster, kept in the state folder as well: one that starts while the cluster is gone, refuses it, or has a Secret
 * that cannot be used signs with what it had. A cluster that is gone and that nothing is known of is waited for.
 *
 * @throws CaMaterialError when what is there cannot be used, or may not be read
 */
export async function openClusterCa(
  api: KubernetesApi,
  { namespace, trustDomain, stateDir }: ClusterCaOptions,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<CaFolder> {
  const folder = join(stateDir, "cluster-ca");
  const kept = await readKept(folder);
  const read = (): Promise<ClusterCaFiles> => clusterCaFiles(api, { namespace, trustDomain, kept }, signal);
  try {
    const files = await retrying(read, {
      backoff,
      signal,
      isFinal: (error) =>
        kept !== undefined ||
        !(error instanceof KubernetesError) ||
        isRefusal(error) ||
        error.code === "UNUSABLE",
      onFailure: ({ error, failures }) => {
        if (failures === 1) log.error("the CA waits for the cluster", { reason: errorMessage(error) });
      },
    });
    await readClusterCa(files);
    makeOwnFolder(stateDir);
    makeOwnFolder(folder);
    for (const name of caFileNames) writeFileAtomic(join(folder, name), files.texts[name], 0o600);
  } catch (error) {
    signal.throwIfAborted();
    const isOfCluster = error instanceof KubernetesError || error instanceof CaMaterialError;
    if (kept !== undefined && isOfCluster)
      log.warn("the cluster has no CA that can be used: it is what it was", {
        folder,
        reason: error.message,
      });
    else if (error instanceof KubernetesError && isRefusal(error))
      throw new CaMaterialError("the CA of the cluster", [error.message]);
    else throw error;
  }
  return pluggedInCa(folder);
}

function isRefusal({ code }: KubernetesError): boolean {
  return code === "REFUSED" || code === "FORBIDDEN";
}

/** What was kept of the CA, if it is whole and can be used. */
async function readKept(folder: string): Promise<ClusterCaFiles["texts"] | undefined> {
  try {
    const texts = Object.fromEntries(
      caFileNames.map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    ) as Record<CaFileName, string>;
    await readClusterCa({ subject: folder, texts });
    return texts;
  } catch {
    return undefined;
  }
}

/** Follow and write until the tasks end. */
export function spawnClusterDuties(
  tasks: TaskGroup,
  {
    api,
    namespace,
    root,
    configuration,
    metrics,
    log,
  }: {
    readonly api: KubernetesApi;
    readonly namespace: string;
    readonly root: ReadonlyWatch<string>;
    readonly configuration: ReadonlyWatch<Configuration>;
    readonly metrics: Metrics;
    readonly log: Logger;
  },
): void {
  const writing = { api, log, metrics: new WriteMetrics(metrics) };
  const identity = `${hostname()}_${randomUUID()}`;
  const lease = new LeaseHolder(api, { namespace, name: "outrider-leader", identity }, log);
  tasks.spawn("lead-cluster", (signal) =>
    lease.run(async (leading) => {
      await Promise.all([
        keepRootConfigMaps({ ...writing, root }, leading),
        keepCaBundle({ ...writing, root }, leading),
        keepStatus({ ...writing, configuration }, leading),
      ]);
    }, signal),
  );
}
