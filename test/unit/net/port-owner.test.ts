import assert from "node:assert/strict";
import { test } from "node:test";
import { describePortOwner, listenersIn } from "../../../src/net/port-owner.ts";

test("only listening sockets of the kernel's table count", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:3A98 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0",
    "   1: 0100007F:3A98 0100007F:8B2C 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 20 4 30 10 -1",
    "",
  ].join("\n");
  assert.deepEqual(listenersIn(table), [["4711", 15000]]);
});

test("the owner is named as far as it is known", () => {
  assert.equal(
    describePortOwner({ port: 15020, pid: 42, command: "python3 -m http.server" }, "statusPort"),
    "port 15020 (statusPort) is taken by pid 42 (python3 -m http.server)",
  );
  assert.match(describePortOwner({ port: 1, pid: undefined, command: "" }, "x"), /cannot be seen from here/);
});
