/** Istio's kinds and the Gateway API's, by their own definitions: what they do not take, they do not. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { mappingsOf } from "../../../src/controlplane/kubernetes/resource.ts";
import { eventually } from "../eventually.ts";
import type { RealCluster } from "./real-cluster.ts";

const collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Define all, and wait until the API has them. */
export async function defineCustomKinds(cluster: RealCluster): Promise<void> {
  const istio = folderOf("ISTIO_API_PATH");
  const gateway = join(folderOf("GATEWAY_API_PATH"), "config/crd/standard");
  const files = [
    join(istio, "kubernetes/customresourcedefinitions.gen.yaml"),
    ...readdirSync(gateway).map((name) => join(gateway, name)),
  ];
  const definitions = files
    .flatMap((file) => parseAllDocuments(readFileSync(file, "utf8")).map((each) => each.toJS() as ApiObject))
    .filter((object) => object["kind"] === "CustomResourceDefinition");
  const paths = await Promise.all(
    definitions.map(async (definition) => {
      const { metadata } = definition as { readonly metadata: { readonly name: string } };
      // No one sets the status of what is to be.
      const { status: _, ...wanted } = definition;
      await cluster.put(collection, wanted);
      return `${collection}/${metadata.name}`;
    }),
  );
  for (const path of paths)
    await eventually(
      `${path} established`,
      async () => {
        const { status } = await cluster.get(path);
        const conditions = mappingsOf((status as ApiObject | undefined)?.["conditions"]);
        assert.ok(conditions.some(({ type, status: is }) => type === "Established" && is === "True"));
      },
      { withinMs: 60_000 },
    );
}

function folderOf(variable: string): string {
  const folder = process.env[variable];
  assert.ok(folder !== undefined, `${variable} is not set: test/kubernetes/run.sh sets it`);
  return folder;
}
