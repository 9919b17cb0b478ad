/** A pod whose network gets its address after the agent has started, in a network namespace of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test, type TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { runOutrider, type RunningOutrider, startOutrider } from "../support/outrider.ts";
import { hasRoot } from "../support/privilege.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Words before a command that runs it where eth0 is up and has no address. */
const launcher = [
  ...["unshare", "--net", "--mount", "sh", "-ec"],
  'mount -t sysfs sysfs /sys; ip link set lo up; ip link add eth0 type veth peer name peer0; sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set peer0 up; ip link set eth0 up; exec "$@"',
  "sh",
];

const withinMs = 30_000;

const env = { DISABLE_ENVOY: "true", POD_NAME: "late-1", POD_NAMESPACE: "demo" };

function startLate(cwd: string): RunningOutrider {
  return startOutrider({ launcher, args: ["proxy", "sidecar"], cwd, env });
}

async function saysThatItWaits(agent: RunningOutrider): Promise<void> {
  await eventually(
    "a word about the wait",
    () => {
      assert.ok(
        agent.lines.some((line) => line.includes("waits up to 120 s for an address")),
        agent.lines.join("\n"),
      );
    },
    { withinMs },
  );
}

describe("without an address", () => {
  test("the agent waits for one, and is known by it", async (t: TestContext) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    await using agent = startLate(folder.path);
    await saysThatItWaits(agent);
    execFileSync("nsenter", [
      ...["--net", `--target=${agent.pid}`],
      ...["ip", "address", "add", "10.7.7.7/24", "dev", "eth0"],
    ]);
    await eventually(
      "a start with the address",
      () => {
        assert.ok(
          agent.lines.some((line) =>
            line.includes("node=sidecar~10.7.7.7~late-1.demo~demo.svc.cluster.local"),
          ),
          agent.lines.join("\n"),
        );
      },
      { withinMs },
    );
    agent.kill("SIGTERM");
    assert.deepEqual(await agent.exitWithin(20_000), { kind: "exited", code: 143 });
  });

  test("a signal ends the wait", async (t: TestContext) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    await using agent = startLate(folder.path);
    await saysThatItWaits(agent);
    agent.kill("SIGTERM");
    assert.deepEqual(await agent.exitWithin(20_000), { kind: "exited", code: 143 }, agent.lines.join("\n"));
  });

  test("whoever only looks does not wait", async (t: TestContext) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    const { output } = await runOutrider({
      launcher,
      args: ["plan", "--json"],
      cwd: folder.path,
      // Agents of other tests say where they are in the folder of this user.
      env: { ENVOY_PATH: "/nowhere/envoy", OUTRIDER_RUNTIME_FOLDER: folder.path },
      withinMs: 60_000,
    });
    assert.match(output, /"action": "refuse"|no Envoy|nowhere/);
  });
});
