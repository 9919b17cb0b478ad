import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";
import type { PartitionResult } from "../../support/partition.ts";

const skip = whyNoOwnNetwork();

test(
  "a control plane whose packets are dropped stops no traffic, keeps no sidecar from its start, and is caught up with",
  skip === undefined ? {} : { skip },
  async () => {
    const { requests, failed, startedState } = await inOwnNetwork<PartitionResult>({
      sysctls: {},
      program: join(import.meta.dirname, "../../support/partition-main.ts"),
      options: { forMs: 5_000 },
    });
    assert.deepEqual(failed, []);
    assert.ok(requests > 50, `${requests} requests are too few to show anything`);
    assert.equal(
      startedState,
      "stale",
      "it is served from its cache, though nothing says that there is no connection",
    );
  },
);
