/** F8: Envoys that share a network namespace, and so the names of their sockets. */
import assert from "node:assert/strict";
import { envoysOf, sharedMemoryOf } from "../envoys-of.ts";
import { StandaloneSidecar } from "../standalone-sidecar.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { assertSwapsHot } from "./newcomers.ts";
import { type FailureFigures, Subject } from "./subject.ts";

export async function twoSidecars(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  using folder = temporaryFolder();
  await using other = await StandaloneSidecar.ready({ folder: folder.path, flags: ["--swapMode", "hot"] });
  const memories = [subject.sidecar, other].flatMap(({ folder: own }) =>
    envoysOf(own).map(({ pid }) => sharedMemoryOf(pid)),
  );
  assert.equal(new Set(memories).size, 2, memories.join());
  const startedAt = performance.now();
  const [, { report }] = await Promise.all([assertSwapsHot(subject), other.swap()]);
  assert.ok(report.result === "swapped" && report.mode === "hot", JSON.stringify(report));
  return await subject.figures(Math.round(performance.now() - startedAt));
}
