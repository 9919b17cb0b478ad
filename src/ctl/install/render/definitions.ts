/**
 * The kinds that the control plane serves, as CustomResourceDefinitions. Groups, names and versions are those that objects of
 * Istio's API have (istio.io/latest/docs/reference/config); the fields are open here, since the control plane's webhook checks
 * them, by the rules of files. Kinds of the Gateway API are that project's to define. Pure.
 */
import { kinds, writtenKind } from "../../../controlplane/config/schema.ts";
import { pluralOf } from "../../../controlplane/kubernetes/resource.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";

/** Istio's groups end so, and Kubernetes' own do not. */
const group = ".istio.io";

const open: JsonObject = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const schema: JsonObject = {
  openAPIV3Schema: { type: "object", properties: { spec: open, status: open } },
};

const age: JsonObject = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

/** All of them; the one that is written first is the one that is stored. */
export function renderDefinitions(): readonly JsonObject[] {
  return (Object.keys(kinds) as (keyof typeof kinds)[])
    .filter((kind) => kinds[kind].group.endsWith(group))
    .map((kind): JsonObject => {
      const written = writtenKind(kind);
      const plural = pluralOf(written);
      const { group: name, versions } = kinds[kind];
      return {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `${plural}.${name}` },
        spec: {
          group: name,
          names: {
            kind: written,
            listKind: `${written}List`,
            plural,
            singular: written.toLowerCase(),
            categories: ["istio-io", name.replace(/\..*$/, "-istio-io")],
          },
          scope: "Namespaced",
          versions: versions.map((version, index): Json => ({
            name: version,
            served: true,
            storage: index === 0,
            schema,
            subresources: { status: {} },
            additionalPrinterColumns: [age],
          })),
        },
      };
    });
}
