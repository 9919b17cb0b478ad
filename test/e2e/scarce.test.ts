import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ScarceReport } from "../support/scarce-config-path-main.ts";
import { onSmallDisk, whyNoSmallDisk } from "../support/small-disk.ts";

const skip = whyNoSmallDisk() ?? false;

describe(
  "an Envoy that dies while its config path is read-only or full, or no descriptor is left",
  { skip },
  () => {
    test("is told why it is not started, is started again, and a stop ends it all", async () => {
      const report = await onSmallDisk<ScarceReport>({
        kibibytes: 512,
        program: join(import.meta.dirname, "../support/scarce-config-path-main.ts"),
      });
      assert.match(report.readOnly ?? "", /EROFS|read-only/);
      assert.match(report.descriptors ?? "", /EMFILE/);
      assert.deepEqual(report.exit, { kind: "exited", code: 0 }, report.lines.slice(-8).join("\n"));
      assert.equal(report.generationsLeft.length, 1, report.generationsLeft.join());
    });
  },
);
