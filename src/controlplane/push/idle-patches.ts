/**
 * Changes of EnvoyFilters that have found nothing to change in any proxy: they are told, once each, when proxies have had
 * the time to ask.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { PublishedModel } from "../model/configured-models.ts";
import type { PatchSet } from "../model/patches.ts";
import { appliedPatches } from "../networking/envoy-filter/for-proxy.ts";

/** After a change of EnvoyFilters so long passes before it is told, in milliseconds. */
const patienceMs = 30_000;

/** Follow the models until `signal` aborts. */
export async function tellIdlePatches(
  models: ReadonlyWatch<PublishedModel>,
  log: Logger,
  signal: AbortSignal,
  afterMs = patienceMs,
): Promise<void> {
  const told = new Set<string>();
  let last: readonly PatchSet[] | undefined;
  let timer: Timer | undefined;
  try {
    for await (const { model } of models.changes(signal)) {
      const { envoyFilters } = model;
      if (envoyFilters === last) continue;
      last = envoyFilters;
      timer?.cancel();
      timer = new Timer(afterMs, () => {
        for (const { id, place } of idlePatches(envoyFilters)) {
          if (told.has(id)) continue;
          told.add(id);
          log.warn("a change of an EnvoyFilter finds nothing to change in any proxy", { patch: id, place });
        }
      });
    }
  } finally {
    timer?.cancel();
  }
}

/** Those that no proxy had any use for. */
function idlePatches(sets: readonly PatchSet[]): readonly { readonly id: string; readonly place: string }[] {
  const applied = appliedPatches(sets);
  return sets.flatMap(({ patches, place }) =>
    patches.filter(({ id }) => !applied.has(id)).map(({ id }) => ({ id, place })),
  );
}
