/** The DNS proxy of the bench: 10,000 services, and one upstream server. Prints its port and what the table takes. */
import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DnsProxy } from "../../../src/dns/dns-proxy.ts";
import { aborted } from "../../../src/lifecycle/sleep.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { kubernetes, nameTableBytes } from "../../support/name-table.ts";

const [names = "10000", resolvConf = "", upstreamPort = "53"] = process.argv.slice(2);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function liveMiB(): number {
  collect();
  const { heapUsed, external } = memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

const log = createLogger({
  json: false,
  levels: { default: "none" },
  write: () => undefined,
  now: () => new Date(),
});
await using proxy = await DnsProxy.listen(
  {
    listen: { kind: "address", host: "127.0.0.1", port: 0 },
    place: { namespace: "ns1", domain: "ns1.svc.cluster.local" },
    ...{ resolvConfPaths: [resolvConf], upstreamPort: Number(upstreamPort), isParallel: false },
    ...{ forwardTimeoutMs: 5_000, ttlSeconds: 30, shuffles: true, gateMs: 0 },
    // Every query reaches the upstream.
    ...{ cacheEntries: 0, serveStaleMs: 0, clientQueries: 1_000 },
  },
  { log, metrics: new Metrics("istio_agent_") },
);
const before = liveMiB();
const hosts = Array.from({ length: Number(names) }, (_, index) => {
  const namespace = `ns${index % 50}`;
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  return [
    `service-${index}.${namespace}.svc.cluster.local`,
    kubernetes(`service-${index}`, namespace, address),
  ] as const;
});
await proxy.takeTable(nameTableBytes(Object.fromEntries(hosts)));
hosts.length = 0;
console.log(
  `port ${proxy.places[0]?.port ?? 0} table ${(liveMiB() - before).toFixed(2)} before ${before.toFixed(2)}`,
);
await aborted(new AbortController().signal);
