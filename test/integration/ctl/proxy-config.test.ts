/** `outriderctl proxy-config`: what no Envoy can have is a mistake of the call, and no empty table. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { runCtl } from "../../support/outriderctl.ts";

for (const [words, problem] of [
  [["cluster", "--direction", "sideways"], /^--direction must be one of inbound, outbound, not sideways$/],
  [["listener", "--type", "UDP"], /^--type must be one of HTTP, TCP, /],
  [["endpoint", "--status", "sick"], /^--status must be one of healthy, unhealthy, /],
  [["log", "--level", "loud"], /^--level: "loud" is not LEVEL with a level of trace, debug, /],
  [["log", "--level", "http:debug,rbac"], /^--level: "rbac" is not LOGGER:LEVEL with a level of /],
  [["log", "--level", "http:warn"], /^--level: "http:warn" is not LOGGER:LEVEL /],
] as const)
  test(`proxy-config ${words.join(" ")} is refused with what may be there`, async () => {
    const { code, lines, errors } = await runCtl("proxy-config", ...words, "--admin-address", "127.0.0.1:1");
    assert.deepEqual([code, lines, errors.length], [64, [], 1]);
    assert.match(errors[0] ?? "", problem);
  });

test("a logger that the Envoy does not have is named, and no level is changed", async () => {
  const asked: string[] = [];
  await using server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("active loggers:\n  http: warning\n  rbac: warning\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = (level: string): ReturnType<typeof runCtl> =>
    runCtl("proxy-config", "log", "--admin-address", address, "--level", level);

  const { code, errors } = await log("http:debug,htpp:debug");
  assert.deepEqual([code, asked], [64, ["/logging"]]);
  assert.match(errors.join("\n"), /has no logger htpp: without --level its loggers are listed$/);

  assert.equal((await log("http:debug,rbac:info")).code, 0);
  assert.equal(asked.at(-1), "/logging?paths=http:debug,rbac:info");
});
