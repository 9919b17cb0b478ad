import assert from "node:assert/strict";
import { test } from "node:test";
import { fromIstioctl } from "../../../src/ctl/istioctl-words.ts";

for (const [given, meant] of [
  ["ps", "proxy-status"],
  ["ps web-1.demo", "proxy-status web-1.demo"],
  ["pc cluster ps", "proxy-config cluster ps"],
  ["x describe pod ps", "describe pod ps"],
  ["experimental x ps", "proxy-status"],
  ["proxy-status", "proxy-status"],
  ["", ""],
] as const) {
  test(`${given} is ${meant}`, () => {
    const words = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");
    assert.deepEqual(fromIstioctl(words(given)), words(meant));
  });
}
