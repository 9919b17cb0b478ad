import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { readAdminTarget } from "../../../../src/envoy/admin/path.ts";

const known: readonly (readonly [target: string, path: string, query: string])[] = [
  ["/", "/", ""],
  ["/ready", "/ready", ""],
  ["/stats/prometheus", "/stats/prometheus", ""],
  ["/stats?usedonly&filter=http.*%7C^x$", "/stats", "usedonly&filter=http.*%7C^x$"],
  ["/quitquitquit", "/quitquitquit", ""],
  ["/quitquitquit?", "/quitquitquit", ""],
  ["/quitquitquit?x=1", "/quitquitquit", "x=1"],
  ["/drain_listeners?graceful&inboundonly", "/drain_listeners", "graceful&inboundonly"],
  ["/config_dump?resource=/../quitquitquit", "/config_dump", "resource=/../quitquitquit"],
  ["/..x/.hidden/x..", "/..x/.hidden/x..", ""],
  ["/QUITQUITQUIT", "/QUITQUITQUIT", ""],
];

/** What Envoy 1.40 takes for /quitquitquit, and what another version may take for it. */
const disguised = [
  "//quitquitquit",
  "///quitquitquit",
  "/%71uitquitquit",
  "/q%75itquitquit",
  "/x/../quitquitquit",
  "/./quitquitquit",
  "/x/%2e%2e/quitquitquit",
  "/%2e/quitquitquit",
  "/..//quitquitquit",
  "/..;/quitquitquit",
  "/\\quitquitquit",
  "/x\\..\\quitquitquit",
  "/%2fquitquitquit",
  "/%5cquitquitquit",
  "/x/..%2fquitquitquit",
  "/quitquitquit#",
  "/quitquitquit?#",
  "/quitquitquit?a#b",
  "/quitquitquit/",
  "/quitquitquit/.",
  "/quitquitquit/..",
  "/quitquitquit;x",
  "/quitquitquit%3f",
  "/quitquitquit%20",
  "/quitquitquit%00",
  "/quitquitquit\t",
  "/quitquitquit ",
  "/quitquitquit?a b",
  "/quitquitquit?\u00e9",
  "/\u00e9/../quitquitquit",
  "quitquitquit",
  "\\quitquitquit",
  "*",
  "",
  "http://localhost/quitquitquit",
  "http:/quitquitquit",
  "?/quitquitquit",
];

describe("readAdminTarget()", () => {
  for (const [target, path, query] of known) {
    test(`takes ${target}`, () => {
      assert.deepEqual(readAdminTarget(target), { kind: "known", path, query });
    });
  }

  for (const target of disguised) {
    test(`refuses ${JSON.stringify(target)} and says why`, () => {
      const read = readAdminTarget(target);
      assert.equal(read.kind, "refused");
      assert.match(read.kind === "refused" ? read.reason : "", /plain/);
    });
  }

  test("what is taken is what a URL's own resolution leaves as it is", () => {
    const piece = fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%71",
      "\\",
      ";",
      "?",
      "#",
      "quitquitquit",
      "x",
      " ",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = pieces.join("");
        const read = readAdminTarget(target);
        if (read.kind === "refused") return;
        const { pathname, search, hash, host } = new URL(target, "http://admin");
        assert.equal(host, "admin");
        assert.equal(hash, "");
        assert.equal(decodeURIComponent(pathname), read.path);
        assert.equal(pathname + (search || (target.endsWith("?") ? "?" : "")), target);
      }),
      { numRuns: 5_000 },
    );
  });
});
