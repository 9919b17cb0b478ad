/** A DNS proxy on loopback, with upstream servers that a test answers for. */
import { rmSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DnsProxy } from "../../src/dns/dns-proxy.ts";
import type { DnsOptions } from "../../src/dns/options.ts";
import { TaskGroup } from "../../src/lifecycle/task-group.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { type DnsUpstream, startDnsUpstream } from "./dns-upstream.ts";
import { nameTableBytes, type TableEntry } from "./name-table.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";

/** What a test changes of it. */
export interface DnsScene {
  readonly options?: Partial<DnsOptions>;
  /** Undefined: no table comes. */
  readonly table?: Readonly<Record<string, TableEntry>> | undefined;
  /** How many upstreams there are; one unless told. */
  readonly upstreams?: number;
  /** More lines of resolv.conf. */
  readonly resolvConf?: string;
}

/** Started; ends with its upstreams. */
export async function runningDns({ options, table, upstreams: count = 1, resolvConf = "" }: DnsScene) {
  await using building = new AsyncDisposableStack();
  const folder = building.use(temporaryFolder()).path;
  const upstreams: DnsUpstream[] = [];
  for (let each = 0; each < count; each += 1)
    upstreams.push(building.use(await startDnsUpstream(`127.0.0.${2 + each}`, upstreams[0]?.port)));
  const resolvConfPath = join(folder, "resolv.conf");
  const file = (servers: readonly string[], more = resolvConf): string =>
    `${servers.map((server) => `nameserver ${server}\n`).join("")}${more}\n`;
  writeFileSync(resolvConfPath, file(upstreams.map(({ host }) => host)));
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const proxy = building.use(
    await DnsProxy.listen(
      {
        listen: { kind: "address", host: "127.0.0.1", port: 0 },
        place: { namespace: "ns1", domain: "ns1.svc.cluster.local" },
        resolvConfPaths: [resolvConfPath],
        upstreamPort: upstreams[0]?.port ?? 53,
        ...{ isParallel: false, forwardTimeoutMs: 5_000, ttlSeconds: 30, shuffles: true, gateMs: 60_000 },
        ...{ cacheEntries: 0, serveStaleMs: 0, clientQueries: 1_000 },
        ...options,
      },
      { log, metrics },
    ),
  );
  const tasks = building.use(new TaskGroup());
  tasks.spawn("follow", (signal) => proxy.followServers(signal));
  tasks.spawn("gate", (signal) => proxy.waitForTable(signal));
  if (table !== undefined) await proxy.takeTable(nameTableBytes(table));
  const [place] = proxy.places;
  const built = building.move();
  const target = { host: place?.host ?? "", port: place?.port ?? 0 };
  return {
    ...{ proxy, upstreams, metrics, lines, target, tasks },
    upstream: upstreams[0] as DnsUpstream,
    overTcp: { ...target, overTcp: true },
    /** Another file in its place, by a rename as a runtime does it, or written over. */
    rewrite: (text: string, how: "rename" | "in place" | "remove"): void => {
      if (how === "remove") rmSync(resolvConfPath);
      else if (how === "in place") writeFileSync(resolvConfPath, text);
      else {
        writeFileSync(`${resolvConfPath}.new`, text);
        renameSync(`${resolvConfPath}.new`, resolvConfPath);
      }
    },
    file,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  };
}
