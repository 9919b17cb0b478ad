import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planTries } from "../../../src/dns/upstream/try-order.ts";

const servers = ["a", "b", "c"];
const options = { attempts: 2, timeoutMs: undefined };
const nobody = (): boolean => false;

describe("upstream servers are asked", () => {
  test("in the file's order, once for each attempt", () => {
    const { servers: order } = planTries({ servers, options }, nobody, 0, 6_000);
    assert.deepEqual(order, ["a", "b", "c", "a", "b", "c"]);
  });

  test("from another one on, and then round", () => {
    const { servers: order } = planTries({ servers, options: { ...options, attempts: 1 } }, nobody, 2, 6_000);
    assert.deepEqual(order, ["c", "a", "b"]);
  });

  test("last of all where they have just not answered, and still in each attempt", () => {
    const { servers: order } = planTries({ servers, options }, (one) => one === "a", 0, 6_000);
    assert.deepEqual(order, ["b", "c", "a", "b", "c", "a"]);
  });

  test("in time for all tries, at most as long as the file says, and never without a breath", () => {
    const every = (timeoutMs: number | undefined, withinMs: number): number =>
      planTries({ servers, options: { attempts: 2, timeoutMs } }, nobody, 0, withinMs).everyMs;
    assert.deepEqual(
      [every(undefined, 6_000), every(500, 6_000), every(30_000, 6_000), every(undefined, 60)],
      [1_000, 500, 1_000, 250],
    );
  });

  test("by nobody when there is none", () => {
    assert.deepEqual(planTries({ servers: [], options }, nobody, 0, 5_000).servers, []);
  });
});
