import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenerFacts } from "../../../../src/envoy/admin/listeners.ts";
import {
  foreignOwners,
  holderOf,
  neededPorts,
  type PortFriends,
} from "../../../../src/envoy/inspect/ports.ts";

const listener = (name: string, port?: number): ListenerFacts => ({
  name,
  address: port === undefined ? undefined : { host: "0.0.0.0", port },
  exclusive: undefined,
  tls: [],
});
const owner = (pid: number | undefined, port: number) => ({ port, pid, command: `process ${pid ?? "?"}` });
const friends: PortFriends = { own: [7, 8], strays: [5], listeners: [listener("inbound", 15006)] };

describe("holderOf()", () => {
  for (const [what, one, holder] of [
    ["the agent and its Envoys are own", owner(8, 15006), "own"],
    ["an Envoy whose agent is gone is a stray", owner(5, 15006), "stray"],
    ["anybody else is a stranger, also on a port of the running Envoy", owner(42, 15006), "stranger"],
    ["whoever cannot be seen on a port of the running Envoy is that Envoy", owner(undefined, 15006), "own"],
    ["and on any other port nobody knows", owner(undefined, 15090), "unseen"],
  ] as const) {
    test(what, () => {
      assert.equal(holderOf(one, friends), holder);
    });
  }

  test("without the running Envoy's listeners whoever cannot be seen is unseen", () => {
    assert.equal(holderOf(owner(undefined, 15006), { ...friends, listeners: undefined }), "unseen");
  });
});

describe("what it takes to listen", () => {
  test("is what the running Envoy has, the bootstrap's listeners and what is known by name, which names it", () => {
    const known = [{ port: 15006, purpose: "inbound capture" }];
    assert.deepEqual(
      [...neededPorts([listener("inbound", 15006), listener("web", 80), listener("pipe")], [15090], known)],
      [
        [15006, "inbound capture"],
        [80, "listener web"],
        [15090, "a listener of the bootstrap"],
      ],
    );
  });

  test("strangers and those who cannot be seen stand in the way, strays and others' ports do not", () => {
    const needed = neededPorts([listener("web", 80)], [15090], []);
    const owners = [owner(8, 80), owner(42, 80), owner(5, 15090), owner(undefined, 15090), owner(43, 1)];
    assert.deepEqual(foreignOwners(needed, owners, friends), [
      "port 80 (listener web) is taken by pid 42 (process 42)",
      "port 15090 (a listener of the bootstrap) is taken by a process whose owner cannot be seen from here (another container's, or another user's)",
    ]);
  });
});
