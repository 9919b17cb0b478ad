/**
 * The agent's HTTP ports, fed raw connections: each answer is HTTP, none says 500, and what changes state was asked for
 * in the one form that may.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { statusRoutes } from "../../../src/agent/status-routes.ts";
import { listenForAdmin } from "../../../src/envoy/admin/forwarder.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { statusParts } from "../../support/status-parts.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";
import { checkHttpAnswer, getRequest, httpTarget } from "../http-target.ts";
import { exchange } from "../raw-connection.ts";
import type { FuzzTarget } from "../target.ts";

const host = "127.0.0.1";

/** A request in the one form that may change state; more may stand on a connection than are answered. */
function requestsFor(paths: string, input: Buffer): number {
  return [...input.toString("latin1").matchAll(new RegExp(`POST /(${paths})(\\?[^ ]*)? HTTP/1\\.`, "g"))]
    .length;
}

const isForeign = (input: Buffer): boolean => {
  const hosts = [...input.toString("latin1").matchAll(/host:[ \t]*([^\r\n]*)/gi)].map(([, value]) => value);
  return hosts.length > 0 && hosts.every((value) => value === "evil.example");
};

const statusTarget = httpTarget("http-status", async () => {
  let changes = 0;
  let asked = 0;
  const change = (): void => {
    changes += 1;
  };
  const server = await listenForStatus(
    { host, port: 0, metricsLocalOnly: false },
    statusRoutes,
    statusParts({
      reload: () => {
        change();
        return Promise.resolve({ result: "stopped" });
      },
      drain: () => Promise.resolve(change()),
      quit: change,
    }),
    { log: testLog().log, redactor: new Redactor() },
  );
  return {
    feed: async (input) => {
      if (!isForeign(input)) asked += requestsFor("drain|reload|quitquitquit", input);
      checkHttpAnswer(await exchange({ host, port: server.port }, input));
    },
    whole: async () => {
      assert.ok(changes <= asked, `${changes} changes of state, ${asked} asked for`);
      const answer = await exchange({ host, port: server.port }, getRequest("/healthz/ready"));
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 /);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

const adminTarget = httpTarget("http-admin", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const socketPath = join(folder.path, "admin.sock");
  let wrongPath: string | undefined;
  // What reaches Envoy is in the form in which Envoy reads it, and nothing that ends it.
  const envoy = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    if (!/^(\/|(\/[\w.-]+)+)$/.test(path) || /\/\.\.?(\/|$)/.test(path) || path === "/quitquitquit")
      wrongPath = request.url;
    request.resume();
    response.end("OK\n");
  });
  await new Promise<void>((resolve) => {
    envoy.listen(socketPath, resolve);
  });
  stack.defer(() => {
    envoy.closeAllConnections();
    envoy.close();
  });
  let quits = 0;
  let asked = 0;
  const server = stack.use(
    await listenForAdmin({
      host,
      port: 0,
      socketPath: () => socketPath,
      unavailable: () => "Envoy is gone",
      quit: () => {
        quits += 1;
      },
      drained: () => undefined,
      log: testLog().log,
    }),
  );
  const owned = stack.move();
  return {
    feed: async (input) => {
      if (!isForeign(input)) asked += requestsFor("quitquitquit", input);
      checkHttpAnswer(await exchange({ host, port: server.port }, input));
      assert.equal(wrongPath, undefined, "a path reached Envoy");
    },
    whole: async () => {
      assert.ok(quits <= asked, `${quits} times to quit, ${asked} asked for`);
      const answer = await exchange({ host, port: server.port }, getRequest("/server_info"));
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 [^]*OK\n/);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});

export const httpTargets: readonly FuzzTarget[] = [statusTarget, adminTarget];
