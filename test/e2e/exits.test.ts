import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { restingMs } from "../../src/lifecycle/tick.ts";
import { eventually } from "../support/eventually.ts";
import { makeMemoryCgroup } from "../support/memory-cgroup.ts";
import type { TestSidecar } from "../support/mesh.ts";
import { type StaticSidecar, startStaticSidecar } from "../support/static-sidecar.ts";

const limitBytes = 400 * 2 ** 20;

/** Longer than it takes to the next look at the count of OOM kills, and than a kill may be old when its process ends. */
const settledMs = restingMs + 6_000;

async function exits(sidecar: TestSidecar, reason: string): Promise<number> {
  return sidecar.metric(`outrider_envoy_exits_total{reason="${reason}"}`);
}

async function anotherEnvoy(lone: StaticSidecar, than: number): Promise<void> {
  await eventually(
    "another Envoy",
    async () => {
      assert.notEqual(await lone.pid(), than);
      assert.equal((await lone.sidecar.report()).ready, true);
    },
    { withinMs: 10_000 },
  );
}

describe("the end of an Envoy", () => {
  test("by the OOM killer is told from one by hand", async (context) => {
    using cgroup = whereCgroupsCanBeMade(context);
    if (cgroup === undefined) return;
    await using lone = await startStaticSidecar({ launcher: cgroup.launcher });
    const first = await lone.pid();
    // The kernel takes Envoy, and not the agent or whoever needed the memory.
    writeFileSync(`/proc/${first}/oom_score_adj`, "1000");
    const hog = spawn(cgroup.launcher[0] ?? "", [
      ...cgroup.launcher.slice(1),
      "python3",
      join(import.meta.dirname, "../support/fixtures/take-memory.py"),
      String(limitBytes / 2 ** 20 - 20),
    ]);
    const hogEnded = once(hog, "exit");
    try {
      await anotherEnvoy(lone, first);
    } finally {
      hog.kill("SIGKILL");
      await hogEnded;
    }
    assert.equal(await exits(lone.sidecar, "oom_kill"), 1);
    const line = lone.sidecar.agent.lines.find((candidate) => candidate.includes("Envoy died"));
    assert.match(line ?? "", /cause=oom_kill/);

    // The kernel counts kills without names: the one of the hog must be too old to be Envoy's.
    await sleep(settledMs);
    const second = await lone.pid();
    process.kill(second, "SIGKILL");
    await anotherEnvoy(lone, second);
    assert.equal(await exits(lone.sidecar, "oom_kill"), 1);
    assert.equal(await exits(lone.sidecar, "signal"), 1);
  });

  test("again and again ends the agent with Envoy's own code, and the pod is told why", async () => {
    await using lone = await startStaticSidecar({
      flags: ["--restartBudget=2", "--restartBackoff=10ms", "--terminationLog=./termination-log"],
    });
    for (let death = 1; death <= 3; death += 1) {
      const pid = await lone.pid();
      process.kill(pid, "SIGSEGV");
      if (death <= 2) await anotherEnvoy(lone, pid);
    }
    assert.deepEqual(await lone.sidecar.agent.exitWithin(5_000), { kind: "exited", code: 139 });
    assert.match(readFileSync(join(lone.sidecar.folder, "termination-log"), "utf8"), /SIGSEGV/);
  });
});

function whereCgroupsCanBeMade(context: {
  skip: (why: string) => void;
}): Exclude<ReturnType<typeof makeMemoryCgroup>, { readonly reason: string }> | undefined {
  const cgroup = makeMemoryCgroup(limitBytes);
  if (!("reason" in cgroup)) return cgroup;
  if (process.env["CI"] === "true") throw new Error(cgroup.reason);
  context.skip(cgroup.reason);
  return undefined;
}
