import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { errorCode } from "../../src/lifecycle/error-message.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { TestMesh } from "../support/mesh.ts";
import { startOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ownNetwork = ["unshare", "--net", "--mount", "--", "sh", "-c"];
// Packets to this address go nowhere, so that each look-up takes as long as the resolver is patient.
const silentNameserver =
  "ip link set lo up && ip route add 192.0.2.0/24 dev lo && mount --bind resolv.conf /etc/resolv.conf";

function canMakeNamespaces(context: TestContext): boolean {
  const { status, stderr } = spawnSync("unshare", ["--net", "--mount", "true"], { encoding: "utf8" });
  if (status === 0) return true;
  if (process.env["CI"] === "true") throw new Error(`namespaces cannot be made: ${stderr}`);
  context.skip(`namespaces cannot be made: ${stderr}`);
  return false;
}

test("a name server that does not answer does not keep a stopped agent from ending", async (context) => {
  if (!canMakeNamespaces(context)) return;
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "resolv.conf"), "nameserver 192.0.2.1\n");
  for (const [path, text] of [
    ["var/run/secrets/tokens/istio-token", "none"],
    ["var/run/secrets/istio/root-cert.pem", "none"],
  ] as const) {
    mkdirSync(join(folder.path, path, ".."), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  }
  await using agent = startOutrider({
    launcher: [...ownNetwork, `${silentNameserver} && exec "$@"`, "sh"],
    args: ["proxy", "sidecar"],
    cwd: folder.path,
    env: {
      ENVOY_PATH: await testEnvoy(),
      // The namespace has no address to find.
      INSTANCE_IP: "127.0.0.1",
      XDS_ROOT_CA: "SYSTEM",
      CA_ROOT_CA: "SYSTEM",
      PROXY_CONFIG: JSON.stringify({
        discoveryAddress: "istiod.nowhere.invalid:15012",
        terminationDrainDuration: "1s",
        concurrency: 1,
      }),
    },
  });
  await eventually(
    "Envoy's start",
    () => assert.ok(agent.lines.some((line) => line.includes("Envoy started"))),
    {
      withinMs: 20_000,
    },
  );
  // Long enough for Envoy to have opened its stream, and for the look-up to have begun.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  agent.kill("SIGTERM");
  assert.deepEqual(await agent.exitWithin(8_000), { kind: "exited", code: 143 });
});

/** A name server on this machine that takes every question and answers none, at an address that nobody else has. */
async function startSilentNameserver(): Promise<AsyncDisposable & { readonly address: string }> {
  for (;;) {
    const socket = createSocket("udp4");
    const address = `127.77.${randomInt(256)}.${randomInt(1, 255)}`;
    try {
      socket.bind(53, address);
      await once(socket, "listening");
    } catch (error) {
      if (errorCode(error) !== "EADDRINUSE") throw error;
      continue;
    }
    return { address, [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose]() };
  }
}

test("what Envoy does not need to serve keeps nobody waiting, and what holds it back is named", async (context) => {
  if (!canMakeNamespaces(context)) return;
  await using stack = new AsyncDisposableStack();
  const nameserver = stack.use(await startSilentNameserver());
  const mesh = stack.use(await TestMesh.start({}));
  const prepare = async (folder: string): Promise<void> => {
    writeFileSync(join(folder, "resolv.conf"), `nameserver ${nameserver.address}\n`);
    await Promise.resolve();
  };
  const launcher = [
    ...["unshare", "--mount", "--propagation=private", "--", "sh", "-c"],
    ...['mount --bind resolv.conf /etc/resolv.conf && exec "$@"', "sh"],
  ];
  const nowhere = (name: string): string => `${name}.nowhere.example:9000`;
  const serving = await mesh.sidecar("api", {
    ...{ prepare, launcher },
    proxyConfig: {
      tracing: { datadog: { address: nowhere("datadog") } },
      envoyMetricsService: { address: nowhere("metrics") },
      envoyAccessLogService: { address: nowhere("logs") },
      statsdUdpAddress: nowhere("statsd"),
    },
  });
  const cluster = {
    ...{ name: "legacy", type: "STRICT_DNS", connect_timeout: "1s" },
    load_assignment: {
      cluster_name: "legacy",
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: { address: { socket_address: { address: "legacy.nowhere.example", port_value: 1 } } },
            },
          ],
        },
      ],
    },
  };
  const waiting = await mesh.sidecar("web", {
    launcher,
    env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.json" },
    prepare: async (folder) => {
      await prepare(folder);
      writeFileSync(
        join(folder, "override.json"),
        JSON.stringify({ static_resources: { clusters: [cluster] } }),
      );
    },
  });
  await Promise.all([
    // The look-ups take longer than this waits.
    serving.ready(),
    eventually(
      "the reason of the one that waits",
      async () => {
        const { ready, reason = "" } = await waiting.report();
        assert.ok(!ready);
        assert.match(
          reason,
          /first looks up the names of its own clusters: legacy \(legacy\.nowhere\.example\)/,
        );
        assert.doesNotMatch(reason, /control plane|discovery server/);
      },
      { withinMs: 30_000 },
    ),
  ]);
});
