import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { delta, stateOfTheWorld } from "../../../../src/xds/protocol.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { resourceOfAny } from "../../../../src/xds/wire-resource.ts";
import { answerTo, HandlerTable, takeIn } from "../../../../src/xdsproxy/handlers/handler-table.ts";
import type { ResourceHandlers, Taken } from "../../../../src/xdsproxy/handlers/resource-handler.ts";
import { recordingHandler } from "../../../support/resource-handlers.ts";
import { replaceField } from "../../../../src/xds/wire-edit.ts";

const rewriting = { concerns: () => true, load: () => Promise.reject(new Error("not to be loaded")) };
const agents = "type.googleapis.com/istio.networking.nds.v1.NameTable";
const rows: ResourceHandlers = {
  [agents]: recordingHandler().handler,
  [typeUrl.extension]: { kind: "relay", rewriting, holdsSecret: (bytes) => bytes.length > 3 },
  [typeUrl.route]: { kind: "relay" },
  "example.org/own": { kind: "relay" },
  [typeUrl.proxyConfig]: recordingHandler().handler,
};

describe("HandlerTable", () => {
  const table = new HandlerTable(rows);
  const cases = [
    ["what has no row and is Envoy's is relayed", typeUrl.cluster, "relay"],
    ["workloads are relayed: a proxyless application asks for them", typeUrl.workload, "relay"],
    ["what is rewritten is relayed", typeUrl.extension, "relay"],
    ["what has a row of Envoy's is relayed, whatever its name", "example.org/own", "relay"],
    ["what is the agent's is consumed", agents, "consume"],
    ["what is nobody's is left out", "example.org/other", "leave out"],
    ["a name of JavaScript's own is no row", "constructor", "leave out"],
  ] as const;
  for (const [name, type, kind] of cases) {
    test(name, () => {
      assert.equal(table.route(type).kind, kind);
    });
  }

  test("subscribes to what the agent consumes, in the order of its rows, and to nothing else", () => {
    assert.deepEqual(table.subscriptions, [agents, typeUrl.proxyConfig]);
    assert.deepEqual(new HandlerTable({}).subscriptions, []);
  });

  test("rewrites what says how", () => {
    assert.deepEqual(table.rewritten, [[typeUrl.extension, rewriting]]);
  });

  test("keeps off the disk what its row calls a secret", () => {
    assert.ok(table.holdsSecret(typeUrl.extension, Buffer.from("long")));
    assert.ok(!table.holdsSecret(typeUrl.extension, Buffer.from("no")));
    assert.ok(!table.holdsSecret(typeUrl.route, Buffer.from("long")));
    assert.ok(!table.holdsSecret(typeUrl.cluster, Buffer.from("long")));
  });
});

describe("takeIn()", () => {
  const any = replaceFieldOf(Buffer.from("value"));
  const views = [
    ["delta", delta, resourceOfAny(any, "1").bytes],
    ["state of the world", stateOfTheWorld, any],
  ] as const;
  for (const [name, protocol, view] of views) {
    test(`gives the value of the first resource alone in ${name}, and none for none`, async () => {
      const { handler, taken } = recordingHandler();
      assert.ok(handler.kind === "consume");
      const response = { typeUrl: agents, nonce: "1", version: "v", removed: [] };
      await takeIn(protocol, { ...response, resources: [view, Buffer.from("ff", "hex")] }, handler.take);
      await takeIn(protocol, { ...response, resources: [] }, handler.take);
      assert.deepEqual(taken, ["value", undefined]);
      const damaged = { ...response, resources: [Buffer.from("0aff", "hex")] };
      assert.equal((await takeIn(protocol, damaged, handler.take)).kind, "refused");
    });
  }

  test("what a handler throws refuses the response", async () => {
    const taken = await takeIn(
      delta,
      { typeUrl: agents, nonce: "1", version: "v", resources: [], removed: [] },
      (): Taken => {
        throw new Error("not today");
      },
    );
    assert.deepEqual(taken, { kind: "refused", reason: "not today" });
  });
});

test("answerTo() acknowledges with the version, and refuses with the reason and no version", () => {
  const response = { typeUrl: agents, nonce: "7", version: "v", resources: [], removed: [] };
  assert.deepEqual(answerTo(response, { kind: "accepted" }), { typeUrl: agents, nonce: "7", version: "v" });
  assert.deepEqual(answerTo(response, { kind: "refused", reason: "bad" }), {
    ...{ typeUrl: agents, nonce: "7", error: "bad" },
  });
});

/** An Any with this value. */
function replaceFieldOf(value: Buffer): Buffer {
  return replaceField(Buffer.from([0x12, 0]), 2, value);
}
