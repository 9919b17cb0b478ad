/** What a real API of Kubernetes would say of files, which outriderctl asks it without a change. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { runCtl } from "../support/outriderctl.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const object = (apiVersion: string, kind: string, namespace: string, more: object): object => ({
  ...{ apiVersion, kind, metadata: { name: "api", namespace } },
  ...more,
});

describe("validate with a real API of Kubernetes", () => {
  test("tells what its server refuses, and changes nothing", { timeout: 600_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
    await cluster.namespace("demo");
    const container = { name: "api", image: "api:1" };
    const deployment = (containers: readonly object[]): object =>
      object("apps/v1", "Deployment", "demo", {
        spec: {
          selector: { matchLabels: { app: "api" } },
          template: { metadata: { labels: { app: "api" } }, spec: { containers } },
        },
      });
    const rule = (spec: object): object =>
      object("networking.istio.io/v1", "DestinationRule", "demo", { spec });
    const validate = async (...objects: readonly object[]): Promise<readonly unknown[]> => {
      const file = join(folder, "next.yaml");
      writeFileSync(file, objects.map((each) => stringify(each)).join("---\n"));
      const { code, lines, errors } = await runCtl(
        ...["validate", "-f", file, "--use-kube", "--kubeconfig", cluster.kubeconfig()],
      );
      return [code, ...[...lines, ...errors].map((line) => line.replaceAll(file, "next.yaml"))];
    };
    const config = object("v1", "ConfigMap", "demo", { data: { a: "b" } });
    assert.deepEqual(await validate(config, deployment([container])), [0, '"next.yaml" is valid']);
    await assert.rejects(cluster.get("/api/v1/namespaces/demo/configmaps/api"), /404/);

    const [code, head, ...told] = await validate(
      deployment([{ name: "api" }]),
      object("v1", "ConfigMap", "elsewhere", { data: { a: "b" } }),
      object("example.com/v1", "Database", "demo", { spec: {} }),
      rule({ host: "api" }),
    );
    assert.deepEqual([code, head], [1, '"next.yaml" is not valid:']);
    const expected = [
      /^ {2}\* Deployment demo\/api: spec\.template\.spec\.containers\[0\]\.image: the cluster refuses it: Required value \(line 1\)$/,
      /^ {2}\* ConfigMap elsewhere\/api: the cluster cannot take it: namespaces "elsewhere" not found \(line \d+\)$/,
      /^ {2}\* Database demo\/api: kind: Database of example\.com is no kind of the cluster: install its definition first/,
      /^ {2}\* DestinationRule demo\/api: kind: DestinationRule of networking\.istio\.io is no kind of the cluster/,
    ];
    assert.equal(told.length, expected.length, told.join("\n"));
    for (const [index, pattern] of expected.entries()) assert.match(String(told[index]), pattern);

    // Once it is a kind, what is wrong by itself is told once.
    await cluster.defineKind("networking.istio.io", "DestinationRule", "destinationrules");
    assert.deepEqual(await validate(rule({ host: "api" })), [0, '"next.yaml" is valid']);
    const wrong = await validate(rule({ host: "api", trafficPolicy: { tls: { mode: "SOMETIMES" } } }));
    assert.deepEqual([wrong.length, wrong[0]], [3, 1]);
    assert.match(String(wrong[2]), /spec\.trafficPolicy\.tls\.mode/);

    const nobody = await runCtl("validate", folder, "--kubeconfig", join(folder, "nowhere"));
    assert.equal(nobody.code, 1);
    assert.match(nobody.errors.join("\n"), /--kubeconfig .*nowhere cannot be used/);
  });
});
