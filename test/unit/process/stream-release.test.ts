import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StreamRelease } from "../../../src/process/stream-release.ts";

const block = 65_536;
const blocks = 4_096;

/** The most that buffers have held beyond what they held before, in MiB, while a stream passed. */
function peakMiB(onPassed: (bytes: number) => void): number {
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  for (let count = 0; count < blocks; count += 1) {
    onPassed(Buffer.allocUnsafeSlow(block).length);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  }
  return peak / 2 ** 20;
}

describe("memory of a stream", () => {
  test("is given back while it passes", () => {
    const release = new StreamRelease();
    const peak = peakMiB((bytes) => {
      release.passed(bytes);
    });
    assert.ok(peak < 24, `${peak} MiB of ${(blocks * block) / 2 ** 20}`);
  });

  test("is looked for once for each MiB", () => {
    let collections = 0;
    const release = new StreamRelease(() => {
      collections += 1;
    });
    for (let count = 0; count < 160; count += 1) release.passed(block);
    assert.equal(collections, 10);
  });
});
