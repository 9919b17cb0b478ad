import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Refusals } from "../../../../src/xdsproxy/refusals/refusals.ts";
import { describeRefused, type Refusal, type RefusalEnd } from "../../../../src/xdsproxy/report/refusal.ts";

const route = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";

function refusal(name: string, changes: Partial<Refusal> = {}): Refusal {
  return {
    ...{ typeUrl: route, name, reason: "bad", since: new Date(0), serves: "last accepted" },
    ...{ wasAccepted: true, isKept: true },
    ...changes,
  };
}

/** The refusals, and what was said of them. */
function scene(): { refusals: Refusals; said: string[]; names: () => readonly string[] } {
  const said: string[] = [];
  const refusals = new Refusals({
    refused: (fresh) => said.push(`refused ${fresh.map(({ name }) => name).join()}`),
    gone: (gone, why: RefusalEnd) => said.push(`${why} ${gone.map(({ name }) => name).join()}`),
  });
  return { refusals, said, names: () => refusals.standing.map(({ name }) => name) };
}

describe("a refusal", () => {
  test("is said once, however often it is repeated, and again when the reason is another", () => {
    const { refusals, said } = scene();
    refusals.opened(1);
    refusals.refuse(1, [refusal("a")]);
    refusals.refuse(1, [refusal("a", { since: new Date(5) })]);
    refusals.refuse(1, [refusal("a", { reason: "worse" })]);
    assert.deepEqual(said, ["refused a", "refused ", "refused a"]);
    assert.deepEqual(refusals.standing[0]?.since, new Date(0));
  });

  test("goes when something else of that name is accepted, and no other does", () => {
    const { refusals, said, names } = scene();
    refusals.opened(1);
    refusals.refuse(1, [refusal("a"), refusal("b"), refusal("")]);
    refusals.accept(1, route, ["c"]);
    assert.deepEqual(names(), ["a", "b"], "what nobody could name goes with anything");
    refusals.accept(1, route, ["a"]);
    refusals.accept(1, "another type", ["b"]);
    refusals.forget(1, route, ["b"]);
    assert.deepEqual(said.slice(1), ["accepted ", "accepted a", "no longer wanted b"]);
  });

  test("of two Envoys stands until both are rid of it, and tells what the newer one serves", () => {
    const { refusals, names } = scene();
    refusals.opened(1);
    refusals.opened(2);
    refusals.refuse(1, [refusal("a")]);
    refusals.refuse(2, [refusal("a", { serves: "nothing" })]);
    assert.equal(refusals.standing[0]?.serves, "nothing");
    assert.deepEqual(refusals.ofStream(1)[0]?.serves, "last accepted");
    refusals.accept(2, route, ["a"]);
    assert.equal(refusals.standing[0]?.serves, "last accepted");
    refusals.accept(1, route, ["a"]);
    assert.deepEqual(names(), []);
  });

  test("of a newcomer that failed goes with it", () => {
    const { refusals, names } = scene();
    refusals.opened(1);
    refusals.opened(2);
    refusals.refuse(2, [refusal("a", { serves: "nothing" })]);
    refusals.closed(2);
    assert.deepEqual(names(), []);
    // What is found out too late is of no interest either.
    refusals.refuse(2, [refusal("a")]);
    assert.deepEqual(names(), []);
  });

  test("of the only Envoy outlives it, until the next one has had time to repeat it", () => {
    const { refusals, said, names } = scene();
    refusals.opened(1);
    refusals.refuse(1, [refusal("a"), refusal("b")]);
    refusals.closed(1);
    assert.deepEqual(names(), ["a", "b"]);
    refusals.opened(2);
    refusals.refuse(2, [refusal("b")]);
    refusals.served(59_999);
    assert.deepEqual(names(), ["a", "b"]);
    refusals.served(60_000);
    assert.deepEqual(names(), ["b"]);
    assert.deepEqual(said, ["refused a,b", "refused ", "not repeated a"]);
  });

  test("of an Envoy that drains is not over while the one after it has not come to repeat it", () => {
    const { refusals, names } = scene();
    refusals.opened(1);
    refusals.refuse(1, [refusal("a")]);
    refusals.opened(2);
    refusals.closed(1);
    assert.deepEqual(names(), ["a"]);
    refusals.served(60_000);
    assert.deepEqual(names(), []);
  });

  test("of the agent before this one is said anew once Envoy repeats it", () => {
    const { refusals, said, names } = scene();
    refusals.inherit([refusal("a")]);
    assert.deepEqual([names(), said], [["a"], []]);
    refusals.opened(1);
    refusals.refuse(1, [refusal("a")]);
    assert.deepEqual(said, ["refused a"]);
  });

  test("is one line with Envoy's words, cut where they print a resource", () => {
    assert.equal(describeRefused(refusal("80")), 'Envoy refuses RouteConfiguration "80" (bad)');
    const long = describeRefused(refusal("80", { reason: `x\n\n${"y".repeat(1_000)}` }));
    assert.ok(long.length < 400 && !long.includes("\n"), long);
  });
});
