import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseResolvConf } from "../../../src/dns/upstream/resolv-conf.ts";
import { dottedName } from "../../../src/dns/wire/name.ts";

const hosts = (text: string): readonly string[] => parseResolvConf(text, 53).servers.map(({ host }) => host);
const search = (text: string): readonly string[] => parseResolvConf(text, 53).search.map(dottedName);

describe("resolv.conf", () => {
  test("names servers of both families, each once, in its order", () => {
    const text = "nameserver 10.0.0.2\r\nnameserver\tfd00::1\n nameserver 10.0.0.1\nnameserver 10.0.0.2\n";
    assert.deepEqual(hosts(text), ["10.0.0.2", "fd00::1", "10.0.0.1"]);
  });

  test("is read over comments, other words and what is no address", () => {
    assert.deepEqual(
      hosts("# nameserver 10.0.0.1\n; nameserver 10.0.0.2\nnameserver\nnameserver localhost\nsortlist x\n"),
      [],
    );
  });

  test("has eight servers and 32 search domains at most", () => {
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    assert.equal(hosts(numbers.map((each) => `nameserver 10.0.0.${each}\n`).join("")).length, 8);
    assert.equal(search(`search ${numbers.map((each) => `d${each}.test`).join(" ")}\n`).length, 32);
  });

  test("searches what its last line of search or domain says, in lower case", () => {
    assert.deepEqual(search("search a.test b.test\ndomain c.test\n"), ["c.test"]);
    assert.deepEqual(search("domain c.test\nsearch A.test b.test. ..\n"), ["a.test", "b.test"]);
    assert.deepEqual(search("search a.test\nsearch\n"), []);
  });

  const usual = { ndots: 1, timeoutMs: undefined, attempts: 2, rotate: false, edns0: false, useVc: false };
  for (const [what, text, expected] of [
    ["none", "", {}],
    [
      "all of them, on several lines",
      "options ndots:5 timeout:3\noptions attempts:4 rotate edns0 use-vc",
      { ndots: 5, timeoutMs: 3_000, attempts: 4, rotate: true, edns0: true, useVc: true },
    ],
    ["the last of one that is there twice", "options ndots:2 ndots:3", { ndots: 3 }],
    [
      "more than there may be",
      "options ndots:99 timeout:99 attempts:99",
      { ndots: 15, timeoutMs: 30_000, attempts: 5 },
    ],
    ["less than makes sense", "options timeout:0 attempts:0", { timeoutMs: 1_000, attempts: 1 }],
    ["what is no number", "options ndots:x timeout:-1 attempts: rotated", {}],
  ] as const)
    test(`has options: ${what}`, () => {
      assert.deepEqual(parseResolvConf(text, 53).options, { ...usual, ...expected });
    });
});
