import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FullDiskReport } from "../../support/full-disk-main.ts";
import { onSmallDisk, whyNoSmallDisk } from "../../support/small-disk.ts";
import type { SystemRootsReport } from "../../support/system-roots-main.ts";

const skip = whyNoSmallDisk() ?? false;

describe("a full disk", { skip }, () => {
  test("keeps the old files, all of them, is named, and is made up for once there is room", async () => {
    const program = join(import.meta.dirname, "../../support/full-disk-main.ts");
    const report = await onSmallDisk<FullDiskReport>({ kibibytes: 128, program });
    const { before, whileFull, served, after, lines } = report;
    assert.deepEqual(whileFull, before, "the old files stay");
    assert.ok(before.isPair && after.isPair);
    assert.notEqual(served, before.output, "memory has what the disk has no room for");
    assert.notEqual(after.output, before.output);
    assert.equal(after.cached, after.output);
    assert.match(lines.join("\n"), /room there, or name another folder in OUTPUT_CERTS/);
    assert.match(lines.join("\n"), /kept for a restart again/);
    assert.doesNotMatch(lines.join("\n"), /PRIVATE KEY/);
  });
});

describe("CA_ROOT_CA=SYSTEM", { skip }, () => {
  test("trusts the operating system's roots, as they are at each call", async () => {
    const program = join(import.meta.dirname, "../../support/system-roots-main.ts");
    const report = await onSmallDisk<SystemRootsReport>({ kibibytes: 64, program });
    assert.match(report.refusal, /is not trusted by the root SYSTEM/);
    assert.equal(report.spiffeId, "spiffe://cluster.local/ns/demo/sa/web");
  });
});
