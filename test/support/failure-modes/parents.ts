/** F4, F6 and F7: what becomes of those that handed over. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { directResponseListener } from "../envoy-config.ts";
import { envoysOf, sharedMemoryOf } from "../envoys-of.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";
import { assertSwapsHot } from "./newcomers.ts";
import { type FailureFigures, Subject } from "./subject.ts";

/**
 * F4: the old Envoy is killed while it drains, which will make its successor abort.
 *
 * The requests that were on their way in the killed Envoy are lost; no supervisor can bring them back. Everything
 * else has to survive.
 */
export async function parentDies(): Promise<FailureFigures> {
  await using subject = await Subject.start({ flags: ["--parentShutdownDuration", "6s"] });
  const { sidecar } = subject;
  const parent = await sidecar.envoyPid();
  const { report } = await sidecar.swap();
  assert.ok(report.result === "swapped" && report.mode === "hot", JSON.stringify(report));
  process.kill(parent, "SIGKILL");
  const startedAt = performance.now();
  const healMs = await subject.healed(2, startedAt);
  const [child] = envoysOf(sidecar.folder).filter(({ generation }) => generation === 2);
  if (child !== undefined) {
    await eventually("the orphaned successor gone", () => assert.equal(isAlive(child.pid), false), {
      withinMs: 12_000,
    });
  }
  assert.equal(
    await sidecar.metric('outrider_envoy_exits_total{reason="abort"}'),
    0,
    "it never came to abort",
  );
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}

/**
 * F4 where no other Envoy can be put beside the orphan: a listener cannot be bound twice, and the lineage is broken.
 * The orphan is drained and replaced before it aborts; requests fail only from its end to its successor's start.
 */
export async function parentDiesAlone(): Promise<FailureFigures> {
  await using subject = await Subject.start({ flags: ["--parentShutdownDuration", "3s"] });
  const { sidecar } = subject;
  const [port = 0] = await freePorts(1);
  const { report } = await sidecar.swap({
    listeners: [
      directResponseListener({ port: sidecar.trafficPort }),
      directResponseListener({ port, name: "exclusive", reusePort: false }),
    ],
  });
  assert.equal(report.result, "swapped", JSON.stringify(report));
  const parent = await sidecar.envoyPid();
  await assertSwapsHot(subject, sidecar.bootstrap);
  process.kill(parent, "SIGKILL");
  const healMs = await subject.healed(3, performance.now());
  assert.equal(
    await sidecar.metric('outrider_envoy_exits_total{reason="abort"}'),
    0,
    "it never came to abort",
  );
  assert.equal(await sidecar.metric("outrider_envoy_hangs_total"), 0, "it never came to hang");
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}

/** F6: all Envoys die at once, the parent that drains included: the next one starts a lineage of its own. */
export async function everybodyDies(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  const { sidecar } = subject;
  const { report } = await sidecar.swap();
  assert.ok(report.result === "swapped" && report.mode === "hot", JSON.stringify(report));
  const all = envoysOf(sidecar.folder);
  assert.equal(all.length, 2);
  for (const { pid } of all) process.kill(pid, "SIGKILL");
  const startedAt = performance.now();
  const healMs = await subject.healed(2, startedAt);
  assert.deepEqual(
    envoysOf(sidecar.folder).map(({ epoch }) => epoch),
    [0],
  );
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}

/** F6: the shared memory is gone, as in a container whose /dev/shm was cleaned: every successor aborts. */
export async function sharedMemoryVanishes(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  const { sidecar } = subject;
  const path = sharedMemoryOf(await sidecar.envoyPid());
  assert.ok(path !== undefined, "Envoy maps no shared memory");
  rmSync(path);
  const startedAt = performance.now();
  const { report } = await sidecar.swap();
  const generation = report.result === "swapped" ? report.generation - 1 : 1;
  const healMs = await subject.healed(generation, startedAt);
  await eventually(
    "a swap by hot restart",
    async () => {
      await assertSwapsHot(subject);
    },
    { withinMs: 15_000, everyMs: 100 },
  );
  return await subject.figures(healMs);
}

/** F7: changes come faster than the old Envoys can drain; none of them is ended early. */
export async function changesInARow(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  const { sidecar } = subject;
  const parent = await sidecar.envoyPid();
  const startedAt = performance.now();
  const { report: one } = await sidecar.swap();
  // Now the first one drains.
  const reports = await Promise.all([sidecar.swap(), sidecar.swap()]);
  const [two, three] = reports.map(({ report }) => report);
  assert.ok(one.result === "swapped" && three?.result === "swapped", JSON.stringify([one, ...reports]));
  // The second is overtaken by the third, or read when the third was on disk already and so the same.
  const isOvertaken = two?.result === "superseded";
  const isSame = two?.result === "swapped" && two.generation === three.generation;
  assert.ok(isOvertaken || isSame, JSON.stringify(reports));
  assert.equal(three.generation, one.generation + 1);
  const lineOf = (text: string): number => sidecar.agent.lines.findIndex((line) => line.includes(text));
  const parentGone = lineOf("replaced Envoy is gone\tgeneration=1 ");
  const nextStarted = lineOf(`swapping Envoy\tmode=hot why="as asked" from=${one.generation}`);
  assert.ok(
    parentGone >= 0 && parentGone < nextStarted,
    `the next one did not wait for the first parent's end:\n${sidecar.agent.lines.join("\n")}`,
  );
  assert.equal(isAlive(parent), false);
  assert.equal(envoysOf(sidecar.folder).length, 2);
  return await subject.figures(Math.round(performance.now() - startedAt));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
