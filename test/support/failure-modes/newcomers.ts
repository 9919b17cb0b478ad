/** F1 to F3: a newcomer that fails, and what it must not take with it. */
import assert from "node:assert/strict";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { directResponseListener, edsCluster, grpcCluster } from "../envoy-config.ts";
import { envoysOf } from "../envoys-of.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";
import { silentServer } from "../silent-server.ts";
import type { StandaloneBootstrap } from "../standalone-sidecar.ts";
import { type FailureFigures, Subject } from "./subject.ts";

/** F1: the newcomer dies while it starts, its mark in the shared memory. */
export async function newcomerDies(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  const { sidecar } = subject;
  const [port = 0] = await freePorts(1);
  const listeners = [
    directResponseListener({ port: sidecar.trafficPort }),
    directResponseListener({ port, name: "far", address: "192.0.2.1" }),
  ];
  const startedAt = performance.now();
  const { report } = await sidecar.swap({ listeners });
  assert.equal(report.result, "refused", JSON.stringify(report));
  const healMs = await subject.healed(2, startedAt);
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}

/** F2: the newcomer waits for an answer that never comes, the old Envoy's admin interface taken. */
export async function newcomerStalls(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  await using silent = await silentServer();
  const { sidecar } = subject;
  const { report } = await sidecar.swap({
    clusters: [grpcCluster("silent", silent.port), edsCluster("waits", "silent")],
  });
  const refusedAt = performance.now();
  assert.equal(report.result, "refused", JSON.stringify(report));
  const healMs = await subject.healed(2, refusedAt);
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}

/** F3: the agent is asked to stop while a newcomer waits, whose end in order would end the old Envoy at once. */
export async function stopDuringSwap(): Promise<FailureFigures> {
  await using subject = await Subject.start({ proxyConfig: { terminationDrainDuration: "2s" } });
  await using silent = await silentServer();
  const { sidecar } = subject;
  const swap = sidecar.swap({
    clusters: [grpcCluster("silent", silent.port), edsCluster("waits", "silent")],
  });
  // It ends with the agent.
  void swap.catch(() => undefined);
  await eventually(
    "a newcomer",
    () => {
      assert.equal(envoysOf(sidecar.folder).length, 2);
    },
    { withinMs: 5_000, everyMs: 5 },
  );
  await sleep(300);
  const startedAt = performance.now();
  sidecar.agent.kill("SIGTERM");
  await sleep(700);
  const figures = await subject.figures(0);
  assert.deepEqual(await sidecar.agent.exitWithin(8_000), { kind: "exited", code: 0 });
  assert.ok(performance.now() - startedAt > 1_900, "the old Envoy was drained for its whole time");
  assert.deepEqual(envoysOf(sidecar.folder), []);
  return figures;
}

/** The next change is swapped in by hot restart, whatever has happened before. */
export async function assertSwapsHot(
  { sidecar }: Subject,
  bootstrap: StandaloneBootstrap = {},
): Promise<void> {
  const { report } = await sidecar.swap(bootstrap);
  assert.ok(report.result === "swapped" && report.mode === "hot", JSON.stringify(report));
}
