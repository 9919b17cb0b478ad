/** A service of files: every rule for it, every workload of it, and no other one of its name. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function object(kind: string, name: string, namespace: string, spec: object): object {
  return { apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace }, spec };
}

function service(namespace: string): object {
  return object("ServiceEntry", "api", namespace, {
    hosts: [`api.${namespace}.svc.cluster.local`],
    ...{ location: "MESH_INTERNAL", resolution: "STATIC" },
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    workloadSelector: { labels: { app: "api" } },
  });
}

const wildcard = "*.demo.svc.cluster.local";

test("a service has the rules of wildcards and the workloads of its selector, and is told from its namesakes", async () => {
  using folder = temporaryFolder();
  const objects = [
    ...["demo", "prod"].map(service),
    object("WorkloadEntry", "api-1", "demo", { address: "10.0.0.2", labels: { app: "api", version: "v1" } }),
    object("WorkloadEntry", "web-1", "demo", { address: "10.0.0.3", labels: { app: "web" } }),
    object("WorkloadEntry", "api-1", "prod", { address: "10.0.0.4", labels: { app: "api" } }),
    object("DestinationRule", "wild", "demo", {
      host: wildcard,
      trafficPolicy: { loadBalancer: { simple: "RANDOM" } },
    }),
    object("VirtualService", "wild", "demo", {
      hosts: [wildcard],
      http: [{ route: [{ destination: { host: "api.demo.svc.cluster.local" } }] }],
    }),
  ];
  writeFileSync(join(folder.path, "mesh.yaml"), objects.map((one) => stringify(one)).join("---\n"));
  const found = await runCtl("describe", "svc", "api.demo", "--config", folder.path, "-o", "short");
  assert.equal(found.code, 0);
  assert.ok(found.lines.includes("   Endpoints in it: 1"), found.lines.join("\n"));
  assert.deepEqual(
    found.lines.slice(3).map((line) => line.replace(/ \(.*/, "")),
    ["DestinationRule demo/wild", "VirtualService demo/wild"],
  );
  const asIstioctl = await runCtl("x", "describe", "svc", "api", "-n", "demo", "--config", folder.path);
  assert.deepEqual(asIstioctl, found);
  assert.deepEqual(await runCtl("describe", "svc", "api", "--config", folder.path), {
    code: 64,
    lines: [],
    errors: [
      "several services are called api: name one of api.demo.svc.cluster.local, api.prod.svc.cluster.local",
    ],
  });
});

test("an object that is refused is told, as the description goes without it", async () => {
  using folder = temporaryFolder();
  const rule = object("DestinationRule", "wild", "demo", {
    host: wildcard,
    trafficPolicy: { tls: { mode: "SOME" } },
  });
  const texts = [service("demo"), rule].map((one) => stringify(one)).join("---\n");
  writeFileSync(join(folder.path, "mesh.yaml"), texts);
  const { code, errors } = await runCtl("describe", "svc", "api.demo", "--config", folder.path);
  assert.deepEqual([code, errors.length], [0, 1]);
  assert.match(
    errors[0] ?? "",
    /^left out, as it is refused: .*mesh\.yaml:\d+: spec\.trafficPolicy\.tls\.mode: /,
  );
});

test("where there is nothing to look at that is told alone, and else what there is", async () => {
  using folder = temporaryFolder();
  const ask = (...words: readonly string[]) =>
    runCtl("describe", "service", "cart.demo", "--config", ...words);
  assert.deepEqual(await ask(folder.path), {
    code: 1,
    lines: [],
    errors: ["no service of the configuration is called cart.demo: it has none"],
  });
  writeFileSync(
    join(folder.path, "mesh.yaml"),
    ["demo", "prod"].map((namespace) => stringify(service(namespace))).join("---\n"),
  );
  assert.deepEqual((await ask(folder.path)).errors, [
    "no service of the configuration is called cart.demo: it has api.demo.svc.cluster.local, api.prod.svc.cluster.local",
  ]);
  const unread = await ask(join(folder.path, "nowhere"));
  assert.deepEqual([unread.code, unread.errors.length], [1, 1]);
  assert.match(unread.errors[0] ?? "", /nowhere cannot be read/);
});
