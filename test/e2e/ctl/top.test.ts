/** outriderctl top beside real Envoys: one that keeps the statistics of its listeners, and one that does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, listAt, textAt } from "../../../src/lifecycle/json-path.ts";
import { announce } from "../../../src/status/announcement.ts";
import { eventually } from "../../support/eventually.ts";
import { agentsFolder } from "../../support/outrider.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { startWebAndApi, type WebAndApi } from "../../support/web-and-api.ts";

let mesh: WebAndApi;
before(async () => {
  const inclusionRegexps = [String.raw`http\.(in|out)bound_.*\.downstream_rq_(completed|5xx|time)`];
  mesh = await startWebAndApi({ web: { proxyConfig: { proxyStatsMatcher: { inclusionRegexps } } } });
});
after(() => mesh[Symbol.asyncDispose]());

/** What is shown while web calls api, by the names of the rows. */
async function shownUnderLoad(...words: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const shown = runCtl("top", "-o", "json", "--interval", "1s", ...words);
  const over = new AbortController();
  const calls = (async () => {
    while (!over.signal.aborted) await mesh.call();
  })();
  const { code, lines, errors } = await shown.finally(() => {
    over.abort();
  });
  await calls;
  assert.deepEqual([code, errors], [0, []]);
  const rows = listAt(JSON.parse(lines.join("\n")), "sidecars");
  return new Map(rows.map((row) => [textAt(row, "name") ?? "", row]));
}

test("shows what goes out of one sidecar and into the other, and who does not answer", async () => {
  const rows = await shownUnderLoad("--admin-address", "127.0.0.1:1");
  const [web, api] = [rows.get("web-1.demo"), rows.get("api-1.demo")];
  for (const [row, direction] of [
    [web, "outbound"],
    [api, "inbound"],
  ] as const) {
    assert.ok(Number(at(row, direction, "requestsPerSecond")) > 0, JSON.stringify(row));
    assert.equal(at(row, direction, "errorShare"), 0);
  }
  assert.deepEqual([at(web, "keepsLatencies"), at(api, "keepsLatencies")], [true, false]);
  assert.equal(at(web, "inbound", "requestsPerSecond"), 0);
  assert.match(
    textAt(rows.get("127.0.0.1:1"), "problem") ?? "",
    /^no answer of 127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
  // Envoy shows a histogram from its next flush on.
  await eventually(
    "latencies of the sidecar that keeps them",
    async () => {
      const row = (await shownUnderLoad("web")).get("web-1.demo");
      const [p50 = Number.NaN, p99 = Number.NaN] = ["p50Ms", "p99Ms"].map((name) =>
        Number(at(row, "outbound", name) ?? Number.NaN),
      );
      assert.ok(p50 >= 0 && p50 <= p99, JSON.stringify(row));
    },
    { withinMs: 30_000 },
  );
});

test("is a table for people, with the way to latencies where an Envoy keeps none", async () => {
  const { code, lines, errors } = await runCtl("top", "--once", "--interval", "100ms");
  assert.equal(code, 0);
  assert.match(lines[0] ?? "", /^NAME +▼IN\/s +ERR% +P50 +P99 +OUT\/s +ERR% +P50 +P99$/);
  const names = new Set(lines.slice(1).map((line) => line.split(" ")[0]));
  assert.deepEqual(names, new Set(["api-1.demo", "web-1.demo"]));
  assert.match(errors.join("\n"), /^1 of 2: .*statsInclusionRegexps/);
});

test("tells two sidecars of one name apart", async () => {
  const statusPort = mesh.web.ports.status;
  const where = { statusPort, adminPort: mesh.web.ports.admin, envoyStatusPort: 0, configPath: "/nowhere" };
  using _twin = announce(agentsFolder, { name: "api-1.demo", pid: process.pid, ...where });
  const { lines } = await runCtl("top", "api", "--once", "--interval", "100ms");
  assert.equal(lines.length, 3);
  assert.ok(
    lines.some((line) => line.startsWith(`api-1.demo (pid ${process.pid}) `)),
    lines.join("\n"),
  );
});

test("counts what an application that has gone makes fail", async () => {
  await mesh.app[Symbol.asyncDispose]();
  const rows = await shownUnderLoad();
  assert.equal(at(rows.get("api-1.demo"), "inbound", "errorShare"), 1);
  assert.equal(at(rows.get("web-1.demo"), "outbound", "errorShare"), 1);
});

test("says when nobody it could ask is there, and what is wrong with its flags", async () => {
  const nobody = await runCtl("top", "cart");
  assert.deepEqual([nobody.code, nobody.lines], [1, []]);
  assert.match(nobody.errors.join("\n"), /begins with cart/);
  const silent = await runCtl("top", "cart", "--admin-address", "127.0.0.1:1", "--interval", "100ms");
  assert.equal(silent.code, 1);
  const wrong = await runCtl("top", "--admin-address", "here", "--output", "xml");
  assert.deepEqual([wrong.code, wrong.errors.length], [64, 2]);
});
