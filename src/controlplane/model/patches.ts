/** EnvoyFilters as lists of changes, in the order in which they are made. */
import type { ConfigPatchSpec, EnvoyFilterSpec } from "../config/objects.ts";
import { readPatchValue } from "../config/patch-values.ts";
import type { JsonObject } from "../config/json-value.ts";
import { isFoundBy } from "../config/regular-expressions.ts";
import { type Scoped, selects } from "./model.ts";
import { isTarget } from "./policy-targets.ts";

/** One change. */
export interface Patch {
  /** As messages name it. */
  readonly id: string;
  /** The same for the EnvoyFilter that it is of. */
  readonly object: string;
  readonly applyTo: ConfigPatchSpec["applyTo"];
  readonly operation: ConfigPatchSpec["patch"]["operation"];
  readonly match: NonNullable<ConfigPatchSpec["match"]>;
  /** In protobuf's JSON form. */
  readonly value: JsonObject;
}

/** An EnvoyFilter. */
export interface PatchSet extends Scoped<EnvoyFilterSpec> {
  /** File and line of the object. */
  readonly place: string;
  readonly patches: readonly Patch[];
}

/** A proxy, as EnvoyFilters select it. */
export interface PatchedProxy {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Operations that mean the same as ADD where nothing has an order. */
const inserting: readonly Patch["operation"][] = ["INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"];
const ordered: readonly Patch["applyTo"][] = [
  "LISTENER_FILTER",
  "NETWORK_FILTER",
  "HTTP_FILTER",
  "HTTP_ROUTE",
];

/** The changes of one object. */
export function patchSet({
  name,
  namespace,
  spec,
  source,
  line,
}: Scoped<EnvoyFilterSpec> & { readonly source: string; readonly line: number }): PatchSet {
  const object = `EnvoyFilter ${namespace}/${name}`;
  const patches = (spec.configPatches ?? []).flatMap(
    ({ applyTo, match = {}, patch }, index): readonly Patch[] => {
      const read = readPatchValue(applyTo, patch.value ?? {});
      if (read.kind === "refused") return [];
      const isInserting = inserting.includes(patch.operation);
      const operation = isInserting && !ordered.includes(applyTo) ? "ADD" : patch.operation;
      const id = `${object}, spec.configPatches[${index}]`;
      return [{ id, object, applyTo, operation, match, value: read.json }];
    },
  );
  return { name, namespace, spec, place: `${source}:${line}`, patches };
}

/** Names of those for a proxy, by priority, the root namespace's first, then by age. */
export function patchesFor(
  sets: readonly PatchSet[],
  rootNamespace: string,
  proxy: PatchedProxy,
): readonly string[] {
  const isRoot = ({ namespace }: PatchSet): number => (namespace === rootNamespace ? 0 : 1);
  return sets
    .filter((set) => isForProxy(set, rootNamespace, proxy))
    .toSorted((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || isRoot(a) - isRoot(b))
    .flatMap(({ patches }) =>
      patches.filter(({ match }) => isForNode(match.proxy, proxy)).map(({ id }) => id),
    );
}

function isForProxy(
  { namespace, spec: { workloadSelector, targetRefs = [] } }: PatchSet,
  rootNamespace: string,
  proxy: PatchedProxy,
): boolean {
  if (namespace !== proxy.namespace && namespace !== rootNamespace) return false;
  // The root namespace's, too, is for the Gateway of that name which is its own.
  if (targetRefs.length > 0) return namespace === proxy.namespace && isTarget(targetRefs, proxy);
  return selects(workloadSelector?.labels ?? {}, proxy.labels);
}

function isForNode(wanted: Patch["match"]["proxy"], { metadata = {} }: PatchedProxy): boolean {
  if (wanted === undefined) return true;
  const { proxyVersion, metadata: pairs = {} } = wanted;
  if (proxyVersion !== undefined) {
    const version = metadata["ISTIO_VERSION"];
    if (typeof version !== "string" || version === "") return false;
    if (!isFoundBy(proxyVersion, version)) return false;
  }
  return Object.entries(pairs).every(([key, value]) => metadata[key] === value);
}
