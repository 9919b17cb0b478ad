import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, disconnected, type Presence } from "../../../src/application/presence.ts";

for (const [name, events, expected] of [
  ["nobody has connected", "", { kind: "unseen" }],
  ["one holds the socket", "+", { kind: "present", connections: 1 }],
  ["one of two lets go", "++-", { kind: "present", connections: 1 }],
  ["the last lets go", "++--", { kind: "absent" }],
  ["one comes back", "+-+", { kind: "present", connections: 1 }],
] as const) {
  test(`presence: ${name}`, () => {
    const presence = events
      .split("")
      .reduce<Presence>((state, event) => (event === "+" ? connected(state) : disconnected(state)), {
        kind: "unseen",
      });
    assert.deepEqual(presence, expected);
  });
}
