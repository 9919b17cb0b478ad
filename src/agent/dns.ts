/**
 * The DNS proxy: loaded where there is to be one, and given the mesh's names as they come.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { DnsProxy } from "../dns/dns-proxy.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ResourceHandler } from "../xdsproxy/handlers/resource-handler.ts";
import type { NameTableState } from "./readiness.ts";

/** What it works with. */
export interface DnsPartDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
  /** Gets the servers. */
  readonly stack: AsyncDisposableStack;
}

/** Undefined where it is switched off. @throws the system error of an address that cannot be bound */
export async function startDns(
  options: AgentConfig["dns"],
  { log, metrics, tasks, stack }: DnsPartDependencies,
): Promise<DnsProxy | undefined> {
  if (options === undefined) return undefined;
  const { DnsProxy } = await import("../dns/dns-proxy.ts");
  const dns = stack.use(await DnsProxy.listen(options, { log: log.scope("dns"), metrics }));
  tasks.spawn("follow-dns-servers", (signal) => dns.followServers(signal));
  tasks.spawn("wait-for-name-table", (signal) => dns.waitForTable(signal));
  return dns;
}

/** Istio's NDS. */
export function nameTableHandler(dns: Pick<DnsProxy, "takeTable">): ResourceHandler {
  return {
    kind: "consume",
    take: (value) => dns.takeTable(value),
    takeKept: (value, asOf) => dns.takeTable(value, asOf),
  };
}

/** Whether readiness may count on the names. */
export function nameTableState(dns: Pick<DnsProxy, "table" | "keptAsOf">): NameTableState {
  return {
    get isReceived() {
      return dns.table.current !== undefined;
    },
    get keptAsOf() {
      return dns.keptAsOf;
    },
  };
}
