import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { startOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ownNetwork = ["unshare", "--net", "--mount", "--", "sh", "-c"];
// Packets to this address go nowhere, so that each look-up takes as long as the resolver is patient.
const silentNameserver =
  "ip link set lo up && ip route add 192.0.2.0/24 dev lo && mount --bind resolv.conf /etc/resolv.conf";

test("a name server that does not answer does not keep a stopped agent from ending", async (context) => {
  const { status, stderr } = spawnSync("unshare", ["--net", "--mount", "true"], { encoding: "utf8" });
  if (status !== 0) {
    if (process.env["CI"] === "true") throw new Error(`namespaces cannot be made: ${stderr}`);
    context.skip(`namespaces cannot be made: ${stderr}`);
    return;
  }
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
