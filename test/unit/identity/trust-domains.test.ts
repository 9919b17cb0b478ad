import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TrustDomains } from "../../../src/identity/trust-domains.ts";

describe("TrustDomains", () => {
  test("are the newest and those before it, each once, however a migration goes", () => {
    const domains = new TrustDomains();
    assert.deepEqual(domains.take("old.org", "old.org"), ["old.org"]);
    assert.deepEqual(domains.take("new.org", "old.org"), ["new.org", "old.org"]);
    assert.deepEqual(domains.take("new.org", "old.org"), ["new.org", "old.org"]);
    assert.deepEqual(domains.take("old.org", "old.org"), ["old.org", "new.org"]);
  });

  test("have what was configured among them, and nothing for a certificate without an identity", () => {
    assert.deepEqual(new TrustDomains().take("new.org", "old.org"), ["new.org", "old.org"]);
    assert.deepEqual(new TrustDomains().take("", undefined), []);
  });

  test("of a source that changes with each certificate are a few", () => {
    const domains = new TrustDomains();
    for (let turn = 0; turn < 100; turn += 1) domains.take(`d${turn}.org`, "asked.org");
    assert.deepEqual(domains.take("last.org", "asked.org").slice(0, 2), ["last.org", "d99.org"]);
    assert.equal(domains.take("last.org", "asked.org").length, 4);
  });

  test("are news once for each pair of names that differ", () => {
    const domains = new TrustDomains();
    assert.deepEqual(
      ["a", "a", "b", "b", "asked", "b"].map((own) => domains.isNews(own, "asked")),
      [true, false, true, false, false, true],
    );
  });
});
