/** Of several control planes one leads, and another takes its place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LeaseHolder } from "../../src/controlplane/kubernetes/lease.ts";
import { aborted } from "../../src/lifecycle/sleep.ts";
import { eventually } from "../support/eventually.ts";
import { RealCluster } from "../support/kubernetes/real-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testLog } from "../support/test-log.ts";

const withinMs = 60_000;

describe("a lease of the real API of Kubernetes", () => {
  test("has one holder at a time, and another when that one is gone", { timeout: 600_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
    const working = new Set<string>();
    const most: number[] = [];
    const compete = (identity: string) => {
      const stop = new AbortController();
      const options = { namespace: "default", name: "test", identity, durationMs: 5_000 };
      const holder = new LeaseHolder(cluster.api, options, testLog().log);
      const ended = holder.run(async (signal) => {
        working.add(identity);
        most.push(working.size);
        await aborted(signal);
        working.delete(identity);
      }, stop.signal);
      return {
        identity,
        stop: async () => {
          stop.abort();
          await ended;
        },
      };
    };
    const all = ["a", "b", "c"].map(compete);
    stack.defer(async () => {
      await Promise.all(all.map((each) => each.stop()));
    });
    const leader = (): Promise<string> =>
      eventually(
        "a leader",
        () => {
          const [first] = working;
          assert.ok(first !== undefined && working.size === 1, [...working].join());
          return first;
        },
        { withinMs },
      );
    const first = await leader();
    await all.find(({ identity }) => identity === first)?.stop();
    const second = await leader();
    assert.notEqual(second, first);
    // Nobody leads who cannot renew, and somebody does once the API is back.
    await cluster.killApi();
    await eventually("nobody", () => assert.equal(working.size, 0), { withinMs });
    await cluster.startApi();
    await leader();
    assert.deepEqual([...new Set(most)], [1]);
  });
});
