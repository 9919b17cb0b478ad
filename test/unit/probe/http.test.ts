import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headersOf, redirectTarget } from "../../../src/probe/http.ts";

describe("redirectTarget()", () => {
  const cases: readonly [location: string | undefined, expected: string | undefined][] = [
    ["/ready", "http://10.0.0.1:8080/ready"],
    ["ready?x=1", "http://10.0.0.1:8080/a/ready?x=1"],
    ["http://10.0.0.1:9090/", "http://10.0.0.1:9090/"],
    ["https://10.0.0.1:8443/b", "https://10.0.0.1:8443/b"],
    ["http://10.0.0.2:8080/", undefined],
    ["//elsewhere/", undefined],
    ["file:///etc/passwd", undefined],
    ["http://[", undefined],
    [undefined, undefined],
  ];
  for (const [location, expected] of cases) {
    test(`of ${location} is ${expected}`, () => {
      assert.equal(redirectTarget("http://10.0.0.1:8080/a/b", location)?.href, expected);
    });
  }

  test("keeps the host of a path that looks like one", () => {
    assert.equal(
      redirectTarget("http://10.0.0.1:8080//elsewhere/a", "b")?.href,
      "http://10.0.0.1:8080//elsewhere/b",
    );
  });
});

describe("headersOf()", () => {
  test("names the agent unless told otherwise", () => {
    assert.deepEqual(headersOf({ headers: [] }), { "user-agent": "istio-probe/1.0" });
    assert.deepEqual(headersOf({ headers: [{ name: "User-Agent", value: "mine" }] }), {
      "User-Agent": "mine",
    });
  });

  test("sends a header that is given twice twice, and one host", () => {
    const headers = [
      { name: "X-A", value: "1" },
      { name: "x-a", value: "2" },
      { name: "Host", value: "web" },
      { name: "host", value: "other" },
    ];
    assert.deepEqual(headersOf({ headers }), {
      "X-A": ["1", "2"],
      Host: "web",
      "user-agent": "istio-probe/1.0",
    });
  });
});
