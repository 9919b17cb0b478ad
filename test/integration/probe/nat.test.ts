import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";
import type { ProbeResult } from "../../../src/probe/method.ts";

const program = join(import.meta.dirname, "../../support/nat-probe-main.ts");

test("a workload is checked by the address of the NAT before its machine", async (context) => {
  const reason = whyNoOwnNetwork();
  if (reason !== undefined) {
    context.skip(reason);
    return;
  }
  const { refused = [], ...answered } = await inOwnNetwork<Record<string, readonly ProbeResult[]>>({
    ...{ sysctls: {}, program, options: {} },
  });
  const healthy = [{ kind: "healthy" }, { kind: "healthy" }];
  assert.deepEqual(answered, { behind: healthy, local: healthy, withoutSource: healthy });
  for (const result of refused) {
    assert.equal(result.kind, "unhealthy");
    assert.match(result.reason, /ECONNREFUSED/);
  }
});
