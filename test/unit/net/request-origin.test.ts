import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, test } from "node:test";
import { foreignOrigin } from "../../../src/net/request-origin.ts";

/** What the kubelet, Prometheus, `curl` and the agent's own commands send. */
const own: readonly IncomingHttpHeaders[] = [
  {},
  { host: "10.1.2.3:15020" },
  { host: "10.1.2.3" },
  { host: "127.0.0.1:15000" },
  { host: "localhost" },
  { host: "localhost:15020" },
  { host: "LocalHost:15020" },
  { host: "[::1]:15020" },
  { host: "[fd00::12]" },
  { host: "[fe80::1%eth0]:15020" },
  { host: "localhost:15000", origin: "http://localhost:15000" },
  { host: "LOCALHOST:15000", origin: "http://localhost:15000" },
  { host: "[::1]:15000", origin: "http://[::1]:15000" },
];

/** A name may be pointed at this machine by whoever owns it, and what looks like an address is a name to a browser. */
const foreignHosts = [
  "evil.example",
  "evil.example:15000",
  "web.demo.svc",
  "web",
  "localhost.evil.example",
  "evil.localhost",
  "localhost.",
  "127.0.0.1.nip.io:15000",
  "127.0.0.1.",
  "127.1",
  "2130706433",
  "0x7f.0.0.1",
  "127.0.0.1:15000:1",
  "127.0.0.1:",
  "127.0.0.1:http",
  "127.0.0.1 evil.example",
  "evil.example@127.0.0.1",
  "127.0.0.1@evil.example",
  "[::1",
  "::1",
  "[127.0.0.1]",
  "[evil.example]",
  "",
];

const foreignOrigins = [
  "http://evil.example",
  "https://localhost:15000",
  "http://localhost:15020",
  "http://localhost",
  "http://127.0.0.1:15000",
  "http://localhost:15000.evil.example",
  "http://localhost:15000/",
  "null",
  "",
];

describe("foreignOrigin()", () => {
  for (const headers of own) {
    test(`takes ${JSON.stringify(headers)}`, () => {
      assert.equal(foreignOrigin(headers), undefined);
    });
  }

  for (const host of foreignHosts) {
    test(`refuses the host ${JSON.stringify(host)}`, () => {
      assert.match(foreignOrigin({ host }) ?? "", /^Host must be an address or localhost/);
      assert.notEqual(foreignOrigin({ host, origin: `http://${host}` }), undefined);
    });
  }

  for (const origin of foreignOrigins) {
    test(`refuses the origin ${JSON.stringify(origin)}`, () => {
      assert.match(foreignOrigin({ host: "localhost:15000", origin }) ?? "", /^Origin/);
    });
  }
});
