/**
 * The agent's SDS server alone in a process, with one secret; a message on `FOLDER/control` rotates it.
 *
 *     node server.ts FOLDER CHAIN KEY ROOT
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { SdsServer } from "../../../src/sds/server.ts";
import type { SdsSecrets } from "../../../src/sds/secrets.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";

const [folder = "", ...files] = process.argv.slice(2);
const [chainPem = "", privateKeyPem = "", rootPem = ""] = files.map((path) => readFileSync(path, "utf8"));
let rotations = 0;
const secret = (): SdsSecrets => ({
  workload: { certificateChainPem: `${chainPem}# ${String(rotations).padStart(8, "0")}\n`, privateKeyPem },
  rootPem,
});
const secrets = new Watch(secret());
const log = createLogger({
  json: false,
  levels: { default: "info" },
  write: () => undefined,
  now: () => new Date(),
});
const options = { path: join(folder, "sds"), mode: 0o600, crlPath: undefined, privateKeyProvider: undefined };
const server = await SdsServer.listen(options, { secrets, log, metrics: new Metrics("") });
new TaskGroup().spawn("sds", (signal) => server.run(signal));
await StreamServer.listen({ path: join(folder, "control"), mode: 0o600 }, [
  {
    name: "bench.Control",
    streams: {
      Rotate: async (stream) => {
        for await (const _ of stream) {
          rotations += 1;
          secrets.set(secret());
        }
      },
    },
  },
]);
console.log("ready");
