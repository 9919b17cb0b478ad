/** The failure modes of Envoy's hot restart (`../hot-restart`), under outrider. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FailureFigures } from "../../support/failure-modes/subject.ts";
import { failureModes } from "../../support/failure-modes/table.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";

const program = join(import.meta.dirname, "../../support/failure-modes/main.ts");
const skip = whyNoOwnNetwork() ?? false;

// How long each may go without its admin interface, and take to heal, is for `npm run chaos` to say.
describe("what hot restart may do to an Envoy", { concurrency: 3, skip }, () => {
  for (const { name, mayFail, hasSilence } of failureModes) {
    test(name, async (context) => {
      // Where an Envoy is put beside another, connections that wait for the one that goes are not to be lost.
      const sysctls = { "net.ipv4.tcp_migrate_req": 1 };
      const figures = await inOwnNetwork<FailureFigures>({ sysctls, program, options: { name } });
      context.diagnostic(
        `${name}: ${figures.failed} of ${figures.total} failed, ${figures.withoutAdminMs} ms without admin, healed after ${figures.healMs} ms`,
      );
      const most = hasSilence === true ? figures.failedInSilence : mayFail;
      assert.ok(figures.failed <= most, figures.detail);
      assert.ok(figures.total > 100, `${figures.total} requests`);
    });
  }
});
