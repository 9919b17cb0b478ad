/**
 * The agent's HTTP ports in a process of their own, whose descriptors can be few. Prints the ports, and with `leak` uses
 * every descriptor up.
 */
import { openSync } from "node:fs";
import { statusRoutes } from "../../src/agent/status-routes.ts";
import { listenForAdmin } from "../../src/envoy/admin/forwarder.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { listenForStatus } from "../../src/status/server.ts";
import { Redactor } from "../../src/telemetry/redactor.ts";
import { statusParts } from "./status-parts.ts";

const log = createLogger({
  json: false,
  levels: {},
  write: (line) => process.stderr.write(line),
  now: () => new Date(),
});
const status = await listenForStatus(
  { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
  statusRoutes,
  statusParts(),
  { log, redactor: new Redactor() },
);
const admin = await listenForAdmin({
  host: "127.0.0.1",
  port: 0,
  socketPath: () => "/nowhere",
  unavailable: () => "there is no Envoy",
  quit: () => undefined,
  drained: () => undefined,
  log,
});
process.stdout.write(`${JSON.stringify({ status: status.port, admin: admin.port })}\n`);

if (process.argv[2] === "leak") {
  try {
    for (;;) openSync("/dev/null", "r");
  } catch {
    // There are no more.
  }
}
