/**
 * The CA of a cluster beside what was kept of it: read at the start, and again while the control plane runs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeOwnFolder } from "../../files/own-folder.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { retrying } from "../../lifecycle/retry.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { KubernetesError } from "../kubernetes/api-error.ts";
import { type CaFileName, caFileNames, CaMaterialError } from "./check-material.ts";
import { type ClusterCaFiles, clusterCaFiles, readClusterCa } from "./cluster-secret.ts";
import { type CaFolder, pluggedInCa } from "./material.ts";

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
    keep(folder, files);
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

function keep(folder: string, { texts }: ClusterCaFiles): void {
  for (const name of caFileNames) writeFileAtomic(join(folder, name), texts[name], 0o600);
}

/** How often the Secret is looked at, in milliseconds, with half more at random: what is rotated is valid for days yet. */
const lookMs = 30_000;

/**
 * Somebody else may rotate the CA while this control plane runs: what its Secret has by then is checked and put into the folder,
 * which is followed. It has to be there at two looks in a row: while somebody deletes a Secret and makes it anew, the cluster has an
 * older one, whose root nobody trusts any more. A Secret that is gone is made again of what was kept; one that cannot be used
 * changes nothing.
 *
 * @param everyMs {@link lookMs} unless told
 */
export async function followClusterCa(
  api: KubernetesApi,
  { namespace, trustDomain, stateDir }: ClusterCaOptions,
  {
    log,
    signal,
    everyMs = lookMs,
  }: { readonly log: Logger; readonly signal: AbortSignal; readonly everyMs?: number },
): Promise<void> {
  const folder = join(stateDir, "cluster-ca");
  let told = "";
  let seen: ClusterCaFiles["texts"] | undefined;
  while (!signal.aborted) {
    await sleep(everyMs * (1 + Math.random() / 2), signal);
    if (signal.aborted) return;
    try {
      const kept = await readKept(folder);
      const files = await clusterCaFiles(api, { namespace, trustDomain, kept }, signal);
      const isNew = !isDeepStrictEqual(files.texts, seen);
      seen = files.texts;
      if (kept !== undefined && isDeepStrictEqual(files.texts, kept)) {
        told = "";
        continue;
      }
      if (isNew) continue;
      await readClusterCa(files);
      keep(folder, files);
      told = "";
      log.info("the CA is what the cluster has by now", { secret: files.subject });
    } catch (error) {
      if (signal.aborted) return;
      const reason = errorMessage(error);
      if (reason !== told)
        log.warn("the CA of the cluster cannot be read again: it is what it was", { reason });
      told = reason;
    }
  }
}
