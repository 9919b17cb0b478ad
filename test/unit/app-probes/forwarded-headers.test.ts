import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, test } from "node:test";
import { forwardedHeaders } from "../../../src/app-probes/forwarded-headers.ts";

function forwarded(headers: IncomingHttpHeaders, host = "10.0.0.7"): unknown {
  return forwardedHeaders(headers, { statusPort: 15_020, target: { host, port: 8_080 } });
}

describe("the Host of a probe", () => {
  const rows: readonly (readonly [asked: string | undefined, sent: string])[] = [
    ["10.0.0.7:15020", "10.0.0.7:8080"],
    ["[2001:db8::7]:15020", "[2001:db8::7]:8080"],
    ["web.example:15020", "web.example:8080"],
    ["web.example", "web.example"],
    ["web.example:8080", "web.example:8080"],
    ["web.example:115020", "web.example:115020"],
    ["15020", "15020"],
    ["web_1.example.", "web_1.example."],
    ["", "10.0.0.7:8080"],
    ["127.0.0.1:15020/debug/config?", "10.0.0.7:8080"],
    ["127.0.0.1:15020#", "10.0.0.7:8080"],
    ["a@127.0.0.1:15020", "10.0.0.7:8080"],
    ["127.0.0.1\\\\:15020", "10.0.0.7:8080"],
    ["[::1]x:15020", "10.0.0.7:8080"],
    ["a b", "10.0.0.7:8080"],
    [undefined, "10.0.0.7:8080"],
  ];
  for (const [asked, sent] of rows) {
    test(`of ${asked} is ${sent}`, () => {
      assert.deepEqual(forwarded(asked === undefined ? {} : { host: asked }), { host: sent });
    });
  }

  test("has brackets where it is the application's IPv6 address", () => {
    assert.deepEqual(forwarded({}, "2001:db8::7"), { host: "[2001:db8::7]:8080" });
  });
});

test("what the kubelet sends goes on, but for what is between neighbours", () => {
  assert.deepEqual(
    forwarded({
      host: "web",
      "user-agent": "kube-probe/1.33",
      accept: "*/*",
      "x-token": "a",
      "x-hop": "b",
      connection: "close, X-Hop",
      "keep-alive": "timeout=5",
      "content-length": "5",
      "transfer-encoding": "chunked",
      expect: "100-continue",
      upgrade: "h2c",
      te: "trailers",
    }),
    { host: "web", "user-agent": "kube-probe/1.33", accept: "*/*", "x-token": "a" },
  );
});
