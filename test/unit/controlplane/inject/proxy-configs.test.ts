/** Which ProxyConfig objects a pod is injected by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProxyConfigRule, ruledProxyConfig } from "../../../../src/controlplane/inject/proxy-configs.ts";

const rule = (namespace: string, own: string, matchLabels?: Record<string, string>): ProxyConfigRule => ({
  ...{ namespace, matchLabels },
  fields: { image: { imageType: own }, proxyMetadata: { [own]: "1" } },
});

test("the root namespace's, the namespace's and the first that selects the pod lie over the mesh's, in this order", () => {
  const rules = [
    rule("demo", "selecting", { app: "web" }),
    rule("demo", "second", { app: "web" }),
    rule("demo", "other", { app: "api" }),
    rule("demo", "namespace"),
    rule("elsewhere", "elsewhere"),
    rule("istio-system", "root"),
    rule("istio-system", "root-selecting", { app: "web" }),
  ];
  const mesh = { concurrency: 2, proxyMetadata: { mesh: "1", root: "0" } };
  const of = (namespace: string, labels: Record<string, string>) =>
    ruledProxyConfig(mesh, rules, { namespace, rootNamespace: "istio-system", labels });
  assert.deepEqual(of("demo", { app: "web" }), {
    concurrency: 2,
    image: { imageType: "selecting" },
    proxyMetadata: { mesh: "1", root: "1", namespace: "1", selecting: "1" },
  });
  assert.deepEqual(of("none", {}), {
    concurrency: 2,
    image: { imageType: "root" },
    proxyMetadata: { mesh: "1", root: "1" },
  });
  assert.deepEqual(ruledProxyConfig(mesh, [], { namespace: "demo", rootNamespace: "x", labels: {} }), {
    ...mesh,
    proxyMetadata: mesh.proxyMetadata,
  });
});
