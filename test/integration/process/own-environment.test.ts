import assert from "node:assert/strict";
import { test } from "node:test";
import { hiddenVariables } from "../../../src/process/own-environment.ts";
import { runOutrider } from "../../support/outrider.ts";

test("the application gets its environment as it was, and the agent a Node.js that is not changed by it", async () => {
  const env = {
    "spring.datasource.url": "jdbc:x",
    "X-Y": "1",
    NODE_OPTIONS: "--max-http-header-size=12345",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_EXTRA_CA_CERTS: "/nowhere.pem",
    NODE_DEBUG: "http,tls",
    SSL_CERT_FILE: "/nowhere.pem",
  };
  // The application here is a Node.js of its own, on which the variables must work.
  const application =
    "console.log(JSON.stringify({ env: process.env, limit: require('node:http').maxHeaderSize }))";
  const { exit, output } = await runOutrider({
    args: [
      ...["run", "--timeoutSeconds", "1", "--timeoutFatal=false", "--quitSidecar=false"],
      ...["--", process.execPath, "-e", application],
    ],
    env,
    withinMs: 30_000,
  });
  assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
  const line = output.split("\n").find((text) => text.startsWith("{")) ?? "{}";
  const seen = JSON.parse(line) as { env: Record<string, string>; limit: number };
  const { PATH: _, HOME: __, XDG_CACHE_HOME: ___, ...rest } = seen.env;
  assert.deepEqual(rest, env);
  assert.equal(seen.limit, 12_345);
  // The agent itself asked for readiness: with NODE_DEBUG in force, it would have printed each step.
  assert.doesNotMatch(output, /^HTTP \d+:/m);
  assert.ok(Object.keys(env).filter((name) => hiddenVariables.includes(name)).length >= 5);
});
