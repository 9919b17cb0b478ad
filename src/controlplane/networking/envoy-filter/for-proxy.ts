/** The changes of what a proxy is told. */
import type { Model } from "../../model/model.ts";
import { type PatchSet, patchesFor } from "../../model/patches.ts";
import type { ProxyView, WorkloadView } from "../view.ts";
import type { Patches, PatchContext } from "./apply.ts";

const applied = new WeakMap<readonly PatchSet[], Set<string>>();

/** Names of the changes that found anything to change, in whichever proxy; they are added as translations go. */
export function appliedPatches(envoyFilters: readonly PatchSet[]): Set<string> {
  const known = applied.get(envoyFilters) ?? new Set();
  applied.set(envoyFilters, known);
  return known;
}

/** Of what it calls. */
export function callerPatches({ model, proxy }: Pick<ProxyView, "model" | "proxy">): Patches {
  const context = proxy.type === "router" ? "GATEWAY" : "SIDECAR_OUTBOUND";
  return patchesNamed(model, proxy.type === "other" ? [] : proxy.patches, context);
}

/** Of that by which it is called. */
export function ownPatches(
  { model, proxy }: Pick<WorkloadView, "model" | "proxy">,
  context: PatchContext = "SIDECAR_INBOUND",
): Patches {
  const isSidecar = proxy.type === undefined || proxy.type === "sidecar";
  const names = isSidecar ? patchesFor(model.envoyFilters, model.settings.rootNamespace, proxy) : [];
  return patchesNamed(model, names, context);
}

/** Those with these names, in their order. */
function patchesNamed(
  { envoyFilters }: Pick<Model, "envoyFilters">,
  names: readonly string[],
  context: PatchContext,
): Patches {
  if (names.length === 0) return { context, list: [], applied: new Set() };
  const byName = new Map(envoyFilters.flatMap(({ patches }) => patches.map((patch) => [patch.id, patch])));
  const list = names.flatMap((name) => byName.get(name) ?? []);
  return { context, list, applied: appliedPatches(envoyFilters) };
}
