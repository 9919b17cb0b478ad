import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explanation } from "../../../src/capture/render/explanation.ts";
import { iptablesText } from "../../../src/capture/render/iptables.ts";
import { nftScript } from "../../../src/capture/render/nft.ts";
import { captureCases, planFor } from "../../support/capture-cases.ts";
import { goldenText } from "../../support/golden.ts";

describe("the rules of traffic capture", () => {
  for (const [name, texts] of Object.entries(captureCases)) {
    test(`${name}: for iptables, for nft, and as sentences`, (t) => {
      const plan = planFor(texts);
      goldenText(t, `capture/${name}.rules`, iptablesText(plan));
      goldenText(t, `capture/${name}.nft`, nftScript(plan));
      goldenText(t, `capture/${name}.txt`, `${explanation(plan).join("\n")}\n`);
    });
  }

  test("every rule has a reason", () => {
    for (const texts of Object.values(captureCases))
      for (const { rules, routes } of planFor(texts))
        for (const { because } of [...rules, ...routes]) assert.notEqual(because, "");
  });
});
