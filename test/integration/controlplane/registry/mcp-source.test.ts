/** A control plane that takes its configuration from another one keeps what it had, whatever that one does. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { objectId } from "../../../../src/controlplane/config/objects.ts";
import type { DiscoveryOptions } from "../../../../src/controlplane/discovery-server.ts";
import { McpSource } from "../../../../src/controlplane/registry/mcp/mcp-source.ts";
import type { McpTarget } from "../../../../src/controlplane/registry/mcp/mcp-target.ts";
import { DiscoveryPlane } from "../../../support/discovery-plane.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePorts } from "../../../support/free-ports.ts";
import { apiHost, mutualTls, service } from "../../../support/mesh-objects.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";

const withinMs = { withinMs: 20_000 };
const host = "127.0.0.1";
const route = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "api", namespace: "demo", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {
    hosts: [apiHost],
    http: [{ timeout: "1m30s", route: [{ destination: { host: apiHost } }], retries: { attempts: 0 } }],
  },
};
const files = {
  "api.yaml": stringify(service("api", [{ port: 8_080 }])),
  "mtls.yaml": stringify(mutualTls("STRICT")),
  "route.yaml": stringify(route),
};

const targetOf = (port: number): McpTarget => ({ address: `${host}:${port}`, isPlainText: true });

/** Names of what the source has. */
function namesIn({ states }: McpSource): readonly string[] {
  const { current } = states;
  assert.equal(current.kind, "read", JSON.stringify(current.problems));
  return current.objects.map(objectId).toSorted();
}

const all = ["PeerAuthentication demo/default", "ServiceEntry demo/api", "VirtualService demo/api"];

async function upstream(changes: Partial<DiscoveryOptions> = {}): Promise<DiscoveryPlane> {
  return DiscoveryPlane.start(files, { debounceMs: 10, ...changes });
}

function plainPort({ server }: DiscoveryPlane): number {
  return server.ports.grpc ?? assert.fail("no port in plain text");
}

describe("a control plane's configuration from another one", () => {
  test("is what that one has, as it was written, and follows it", async () => {
    await using plane = await upstream();
    await using source = await McpSource.open(targetOf(plainPort(plane)), testLog());
    assert.deepEqual(namesIn(source), all);
    const { current } = source.states;
    const taken = current.kind === "read" ? current.objects : [];
    const rule = taken.find(({ kind }) => kind === "VirtualService") ?? assert.fail();
    assert.deepEqual(rule.spec, {
      hosts: [apiHost],
      http: [{ timeout: "90s", route: [{ destination: { host: apiHost } }], retries: {} }],
    });
    assert.equal(rule.createdAtMs, Date.parse(route.metadata.creationTimestamp));
    assert.equal(rule.source, `xds://${host}:${plainPort(plane)} VirtualService demo/api`);
    rmSync(join(plane.configFolder, "mtls.yaml"));
    await eventually("it is gone", () => assert.deepEqual(namesIn(source), all.slice(1)), withinMs);
    const next = source.states.current;
    assert.ok(next.kind === "read" && next.objects.includes(rule), "what did not change is the same object");
    assert.equal(source.health().isUp, true);
  });

  test("stays as it was while that one is gone, which is told, and goes on when it is back", async () => {
    const [grpcPort = 0] = await freePorts(1);
    const first = await upstream({ grpcPort });
    await using source = await McpSource.open(targetOf(grpcPort), testLog());
    const before = namesIn(source);
    await first[Symbol.asyncDispose]();
    await eventually(
      "a word on it",
      () => {
        const { current } = source.states;
        assert.equal(current.kind, "broken");
        assert.match(current.problems[0]?.message ?? "", /What it had at .* is served$/);
        assert.equal(source.health().isUp, false);
      },
      withinMs,
    );
    await using again = await upstream({ grpcPort });
    writeFileSync(join(again.configFolder, "more.yaml"), stringify(service("more", [{ port: 8_081 }])));
    await eventually(
      "what there is more",
      () => assert.deepEqual(namesIn(source), [...before, "ServiceEntry demo/more"].toSorted()),
      withinMs,
    );
    assert.equal(source.health().isUp, true);
  });

  test("is not given up for one that begins anew with nothing", async () => {
    const [grpcPort = 0] = await freePorts(1);
    const first = await upstream({ grpcPort });
    await using source = await McpSource.open(targetOf(grpcPort), testLog());
    await first[Symbol.asyncDispose]();
    await using _empty = await DiscoveryPlane.start({}, { grpcPort });
    await eventually(
      "it is doubted",
      () => assert.match(source.states.current.problems[0]?.message ?? "", /begun anew and shows nothing/),
      withinMs,
    );
  });

  test("is for identities of the root namespace only, over TLS", async () => {
    await using plane = await upstream();
    using folder = temporaryFolder();
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder.path, name), content);
      return join(folder.path, name);
    };
    const target = async (namespace: string): Promise<McpTarget> => ({
      address: `${host}:${plane.server.ports.secureGrpc}`,
      isPlainText: false,
      serverName: "istiod.istio-system.svc",
      caFile: file("root.pem", plane.server.rootCertificatePem),
      tokenFile: file(namespace, await plane.token("control-plane", namespace)),
    });
    await using source = await McpSource.open(await target("istio-system"), testLog());
    assert.deepEqual(namesIn(source), all);
    await using other = await McpSource.open(await target("demo"), testLog());
    assert.match(
      other.states.current.problems[0]?.message ?? "",
      /configuration is for identities of the namespace istio-system/,
    );
  });

  test("is joined with its own, told on to nobody, and outlives a restart without that one", async () => {
    const plane = await upstream();
    using state = temporaryFolder();
    const controlPlanes = [targetOf(plainPort(plane))];
    const own = { "own.yaml": stringify(service("own", [{ port: 8_082 }])) };
    const options = { controlPlanes, stateDir: state.path, debounceMs: 10 };
    const second = await DiscoveryPlane.start(own, options);
    assert.deepEqual(
      second.server.configStatus.objects.toSorted(),
      [...all, "ServiceEntry demo/own"].toSorted(),
    );
    assert.deepEqual(second.server.configStatus.origins["VirtualService demo/api"], {
      source: `xds-127.0.0.1-${plainPort(plane)}`,
      place: `xds://${host}:${plainPort(plane)} VirtualService demo/api`,
    });
    await using third = await McpSource.open(targetOf(plainPort(second)), testLog());
    assert.deepEqual(namesIn(third), ["ServiceEntry demo/own"]);
    const name = `xds-127.0.0.1-${plainPort(plane)}.jsonl`;
    await eventually(
      "it is kept",
      () => assert.ok(existsSync(join(state.path, "registries", name))),
      withinMs,
    );
    await second[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
    await using again = await DiscoveryPlane.start(own, options);
    assert.deepEqual(
      again.server.configStatus.objects.toSorted(),
      [...all, "ServiceEntry demo/own"].toSorted(),
    );
    assert.equal(
      again.server.configStatus.sources.find(({ name: one }) => one.startsWith("xds-"))?.isUp,
      false,
    );
  });
});
