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

  const ofLoopback: readonly [from: string, location: string, isFollowed: boolean][] = [
    ["http://127.0.0.1:8080/a", "/ready", true],
    ["http://127.0.0.1:8080/a", "http://127.0.0.1:8080/ready", true],
    ["http://127.0.0.1:8080/a", "http://127.0.0.1:15020/debug/config", false],
    ["http://127.0.0.1:8080/a", "http://127.0.0.1/", false],
    ["http://127.0.0.1/a", "http://127.0.0.1:80/b", true],
    ["http://127.0.0.1:8080/a", "https://127.0.0.1/", false],
    ["http://127.0.0.2:8080/a", "http://127.0.0.2:15000/", false],
    ["http://localhost:8080/a", "http://localhost:15000/", false],
    ["http://web.localhost:8080/a", "http://web.localhost:15000/", false],
    ["http://[::1]:8080/a", "http://[::1]:15000/", false],
    ["http://[::ffff:127.0.0.1]:8080/a", "http://[::ffff:127.0.0.1]:15000/", false],
    ["http://0.0.0.0:8080/a", "http://0.0.0.0:15000/", false],
  ];
  for (const [from, location, isFollowed] of ofLoopback) {
    test(`of ${location} is ${isFollowed ? "followed" : "left"} on loopback from ${from}`, () => {
      assert.equal(redirectTarget(from, location) !== undefined, isFollowed);
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
