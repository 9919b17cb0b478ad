/** A real istiod as the control plane that another one takes its configuration from. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { objectId } from "../../src/controlplane/config/objects.ts";
import { McpSource } from "../../src/controlplane/registry/mcp/mcp-source.ts";
import { eventually } from "../support/eventually.ts";
import { accountToken } from "../support/istiod/account-token.ts";
import { startIstiod } from "../support/istiod/istiod.ts";
import { apiHost, mutualTls, service } from "../support/mesh-objects.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testLog } from "../support/test-log.ts";

const withinMs = { withinMs: 60_000 };

const route = (timeout: string): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "api", namespace: "demo" },
  spec: { hosts: [apiHost], http: [{ timeout, route: [{ destination: { host: apiHost } }] }] },
});
const all = ["PeerAuthentication demo/default", "ServiceEntry demo/api", "VirtualService demo/api"];

test("what istiod has in a folder is taken, followed, and kept while istiod is gone", async () => {
  using folder = temporaryFolder();
  await using istiod = await startIstiod(folder.path, {
    "mesh.yaml": [service("api", [{ port: 8_080 }]), mutualTls("STRICT"), route("5s")],
  });
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder.path, name), content);
    return join(folder.path, name);
  };
  const caFile = file("root.pem", istiod.rootPem);
  const target = (namespace: string) => ({
    address: `127.0.0.1:${istiod.ports.tls}`,
    isPlainText: false,
    serverName: "istiod.istio-system.svc",
    ...{ caFile, tokenFile: file(namespace, accountToken(namespace, "control-plane")) },
  });
  await using source = await McpSource.open(target("istio-system"), testLog());
  const timeout = (): unknown => {
    const { current } = source.states;
    assert.equal(current.kind, "read", JSON.stringify(current.problems));
    assert.deepEqual(current.problems, []);
    assert.deepEqual(current.objects.map(objectId).toSorted(), all);
    const rule = current.objects.find(({ kind }) => kind === "VirtualService");
    return rule?.kind === "VirtualService" ? rule.spec.http?.[0]?.timeout : undefined;
  };
  await eventually("everything", () => assert.equal(timeout(), "5s"), withinMs);
  istiod.write("mesh.yaml", service("api", [{ port: 8_080 }]), mutualTls("STRICT"), route("7s"));
  await eventually("the change", () => assert.equal(timeout(), "7s"), withinMs);

  await istiod.kill();
  await eventually(
    "a word on it",
    () => assert.match(source.states.current.problems[0]?.message ?? "", /What it had at .* is served$/),
    withinMs,
  );
  await istiod.restart();
  await eventually("everything again", () => assert.equal(timeout(), "7s"), withinMs);

  await using other = await McpSource.open(target("demo"), testLog());
  assert.equal(other.states.current.kind, "broken");
});
