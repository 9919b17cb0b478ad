/** The rights that docker/kubernetes gives the control plane, and its webhooks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { metaOf, pluralOf, textOf } from "../../../src/controlplane/kubernetes/resource.ts";
import type { RealCluster } from "./real-cluster.ts";

const folder = join(import.meta.dirname, "../../../docker/kubernetes");

/** Apply them. Resolves with a token of its service account. */
export async function applyControlPlaneRole(cluster: RealCluster): Promise<string> {
  await cluster.namespace("istio-system");
  const documents = ["registry.yaml", "injection.yaml"].flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), "utf8")),
  );
  for (const document of documents) {
    const object = document.toJS() as ApiObject;
    const namespace = metaOf({
      metadata: { ...Object(object["metadata"]), resourceVersion: "0" },
    })?.namespace;
    const version = textOf(object["apiVersion"]);
    const root = version === "v1" ? "/api/v1" : `/apis/${version}`;
    const within = namespace === undefined || namespace === "" ? "" : `/namespaces/${namespace}`;
    await cluster.put(`${root}${within}/${pluralOf(textOf(object["kind"]))}`, object);
  }
  return cluster.token("istio-system", "outrider-discovery");
}
