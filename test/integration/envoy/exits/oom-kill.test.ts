import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { CgroupMemory } from "../../../../src/envoy/exits/cgroup-memory.ts";
import { ExitWitness } from "../../../../src/envoy/exits/exit-witness.ts";
import type { Child } from "../../../../src/process/child.ts";
import { runEnvoyToItsEnd, smallBootstrap } from "../../../support/envoy-exit.ts";
import { makeMemoryCgroup, type TestCgroup } from "../../../support/memory-cgroup.ts";

const mebibyte = 2 ** 20;

/** As in a container: this process and its Envoy share one cgroup. */
function enterCgroup(context: TestContext, limitBytes: number): TestCgroup | undefined {
  const cgroup = makeMemoryCgroup(limitBytes);
  if ("reason" in cgroup) {
    assert.notEqual(process.env["CI"], "true", cgroup.reason);
    context.skip(cgroup.reason);
    return undefined;
  }
  cgroup.enter();
  return cgroup;
}

/** What the kernel takes first when memory is short. */
function sacrifice(child: Child): void {
  writeFileSync(`/proc/${child.pid}/oom_score_adj`, "1000");
}

test("an Envoy that the kernel kills for memory is an OOM kill, a SIGKILL by hand beside it is not", async (context) => {
  using cgroup = enterCgroup(context, 48 * mebibyte);
  if (cgroup === undefined) return;
  const memory = CgroupMemory.find();
  const witness = ExitWitness.create(memory);
  const bootstrap = smallBootstrap();
  const { static_resources } = bootstrap;
  const clusters = Array.from({ length: 5_000 }, (_, n) => ({ name: `c${n}`, type: "STATIC" }));

  const killed = await runEnvoyToItsEnd({
    bootstrap: { ...bootstrap, static_resources: { ...static_resources, clusters } },
    witness,
    onStart: sacrifice,
  });
  assert.equal(killed.diagnosis.reason, "oom_kill", killed.diagnosis.message);
  assert.match(
    killed.diagnosis.message,
    /^killed by the kernel's OOM killer: oom_kill of memory cgroup \/.*outrider-test-\d+ rose from 0 to 1 \(limit 48 MiB\)$/,
  );
  assert.equal(killed.diagnosis.exitCode, 137);

  const byHand = await runEnvoyToItsEnd({
    bootstrap,
    witness,
    onStart: (child) => {
      child.kill("SIGKILL");
    },
  });
  assert.equal(byHand.diagnosis.reason, "signal");
  assert.match(byHand.diagnosis.message, /no OOM kill was counted in memory cgroup \/.*outrider-test-\d+$/);
});

test("the cgroup's limit and room are told", (context) => {
  using cgroup = enterCgroup(context, 512 * mebibyte);
  if (cgroup === undefined) return;
  const { limitBytes, usageBytes = 0, headroomBytes = 0, availableBytes = 0 } = CgroupMemory.find().figures();
  assert.equal(limitBytes, 512 * mebibyte);
  assert.ok(usageBytes < 512 * mebibyte);
  assert.ok(headroomBytes > 0 && headroomBytes <= 512 * mebibyte && headroomBytes <= availableBytes);
});
