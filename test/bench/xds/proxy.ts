/**
 * The ADS proxy alone in a process, its cache included.
 *
 *     node proxy.ts FOLDER ADDRESS ROOT      prints how many responses it has taken in, whenever that changes
 */
import { join } from "node:path";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { XdsProxy } from "../../../src/xdsproxy/xds-proxy.ts";

const [folder = "", address = "", root = ""] = process.argv.slice(2);
const metrics = new Metrics("");
await XdsProxy.listen(
  {
    path: join(folder, "XDS"),
    mode: 0o600,
    upstream: {
      address,
      tls: { rootCertificatePath: root, serverName: undefined },
      clusterId: undefined,
      headers: {},
    },
    cache: {
      folder: join(folder, "cache"),
      owner: "bench",
      maxTypeBytes: 67_108_864,
      writeAfterMs: 1_000,
      useAfterMs: 2_000,
    },
  },
  {
    token: () => undefined,
    log: createLogger({
      json: false,
      levels: { default: "none" },
      write: () => undefined,
      now: () => new Date(),
    }),
    metrics,
    handlers: {},
  },
);
console.log("responses 0");
for (let shown = "0"; ;) {
  await sleep(100);
  const [, responses = "0"] = /^xds_proxy_responses (\d+)/m.exec(await metrics.render()) ?? [];
  if (responses !== shown) console.log(`responses ${responses}`);
  shown = responses;
}
