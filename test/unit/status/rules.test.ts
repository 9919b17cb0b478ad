import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Endpoint } from "../../../src/status/contract/route.ts";
import { rule } from "../../../src/status/rules.ts";

const table: readonly Endpoint[] = [
  { path: "/ready", method: "GET", scope: "everybody", describe: "" },
  { path: "/metrics", method: "GET", scope: "scrapers", describe: "" },
  { path: "/debug/", method: "GET", scope: "loopback", describe: "" },
  { path: "/drain", method: "POST", scope: "loopback", describe: "" },
];

const pod = "10.0.0.7";

describe("rule()", () => {
  const rows: readonly (readonly [
    request: string,
    from: string | undefined,
    metricsLocalOnly: boolean,
    result: string | number,
  ])[] = [
    ["GET /ready", pod, false, "/ready"],
    ["GET /ready", pod, true, "/ready"],
    ["HEAD /ready", pod, false, "/ready"],
    ["POST /ready", pod, false, "/ready"],
    ["GET /metrics", pod, false, "/metrics"],
    ["GET /metrics", pod, true, 403],
    ["GET /metrics", "::1", true, "/metrics"],
    ["GET /debug/", "127.0.0.1", false, "/debug/"],
    ["GET /debug/a/b", "::ffff:127.0.0.1", false, "/debug/"],
    ["GET /debug/a/b", pod, false, 403],
    // Envoy's captured inbound traffic comes from there.
    ["GET /debug/a/b", "127.0.0.6", false, 403],
    ["GET /debug/a/b", undefined, false, 403],
    ["GET /debug", "127.0.0.1", false, 404],
    ["POST /drain", "127.0.0.1", false, "/drain"],
    ["GET /drain", "127.0.0.1", false, 405],
    ["HEAD /drain", "127.0.0.1", false, 405],
    // Whoever may not ask does not learn how.
    ["GET /drain", pod, false, 403],
    ["GET /drain/", "127.0.0.1", false, 404],
    ["GET /Ready", pod, false, 404],
    ["GET ", pod, false, 404],
  ];
  for (const [request, remoteAddress, metricsLocalOnly, result] of rows) {
    test(`${request} from ${remoteAddress ?? "nowhere"}${metricsLocalOnly ? ", metrics for loopback" : ""}: ${result}`, () => {
      const [method = "", path = ""] = request.split(" ");
      const ruling = rule(table, { method, path, remoteAddress }, metricsLocalOnly);
      assert.equal(ruling.kind === "answer" ? ruling.route.path : ruling.status, result);
    });
  }
});
