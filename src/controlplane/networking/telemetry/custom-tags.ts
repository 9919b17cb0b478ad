/** What is written into every span. */
import type { CustomTagJson } from "../../../proto/envoy/envoy/type/tracing/v3/custom_tag_pb.js";
import type { TelemetrySpec } from "../../config/objects.ts";
import type { TracedNode } from "../../model/caller.ts";

type Tags = NonNullable<NonNullable<TelemetrySpec["tracing"]>[number]["customTags"]>;

/** By name. @param node whose own tags are written as well; undefined where they are switched off */
export function customTags(tags: Tags, node: TracedNode | undefined): readonly CustomTagJson[] {
  const own = Object.entries(tags).map(
    ([tag, { literal, environment, header, formatter }]): CustomTagJson => {
      if (literal !== undefined) return { tag, literal: { value: literal.value } };
      if (environment !== undefined) return { tag, environment: withDefault(environment) };
      if (header !== undefined) return { tag, requestHeader: withDefault(header) };
      return { tag, value: formatter?.value ?? "" };
    },
  );
  return [...(node === undefined ? [] : [...tagsOfNode(node), ...tagsOfDryRuns]), ...own].toSorted((a, b) =>
    (a.tag ?? "") < (b.tag ?? "") ? -1 : 1,
  );
}

function withDefault({
  name,
  defaultValue = "",
}: {
  readonly name: string;
  readonly defaultValue?: string | undefined;
}): { name: string; defaultValue?: string } {
  return { name, ...(defaultValue === "" ? {} : { defaultValue }) };
}

function tagsOfNode({
  revision,
  service,
  meshId,
  namespace,
  clusterId,
}: TracedNode): readonly CustomTagJson[] {
  const values = {
    canonical_revision: revision || "latest",
    canonical_service: service || "unknown",
    mesh_id: meshId || "unknown",
    namespace: namespace || "default",
    cluster_id: clusterId || "unknown",
  };
  return Object.entries(values).map(([name, value]) => ({ tag: `istio.${name}`, literal: { value } }));
}

/** What policies would have done that are only counted: the tags are written where there are such. */
const tagsOfDryRuns: readonly CustomTagJson[] = (["allow", "deny"] as const).flatMap((action) =>
  (
    [
      ["name", "shadow_effective_policy_id"],
      ["result", "shadow_engine_result"],
    ] as const
  ).map(([name, key]): CustomTagJson => ({
    tag: `istio.authorization.dry_run.${action}_policy.${name}`,
    metadata: {
      kind: { request: {} },
      metadataKey: { key: "envoy.filters.http.rbac", path: [{ key: `istio_dry_run_${action}_${key}` }] },
    },
  })),
);
