/**
 * Kernel settings of this network namespace that a swap or a start depends on (Linux' ip-sysctl documentation).
 */
import { type Finding, ok, warning } from "./finding.ts";

/** From the first to the last port. */
export type PortRange = readonly [first: number, last: number];

/**
 * @param text of `net.ipv4.tcp_migrate_req`; undefined where the kernel has none (before 5.14)
 */
export function judgeMigration(text: string | undefined): Finding {
  const name = "tcp-migrate-req";
  const risk =
    "an overlap swap may reset about 1 connection in 100,000, those in the old Envoy's accept queue; " +
    "--swapMode=auto prefers hot restart until then";
  if (text === undefined) {
    return warning(
      name,
      `this kernel has no net.ipv4.tcp_migrate_req; ${risk}`,
      "use Linux 5.14 or newer, or accept it",
    );
  }
  if (Number(text) === 1) return ok(name, "net.ipv4.tcp_migrate_req is 1: overlap swaps reset no connection");
  return warning(
    name,
    `net.ipv4.tcp_migrate_req is ${text.trim()}; ${risk}`,
    "sysctl -w net.ipv4.tcp_migrate_req=1 in this network namespace; in Kubernetes securityContext.sysctls of the pod, " +
      "which the kubelet must allow (--allowed-unsafe-sysctls=net.ipv4.tcp_migrate_req)",
  );
}

/** Ports that the kernel may give to an outgoing connection before their owner has bound them. */
export function judgePortRange(
  ports: readonly { readonly port: number; readonly purpose: string }[],
  ephemeral: PortRange,
  reserved: readonly PortRange[],
): Finding {
  const name = "port-range";
  const within = (port: number, [first, last]: PortRange): boolean => port >= first && port <= last;
  const atRisk = ports.filter(
    ({ port }) => within(port, ephemeral) && !reserved.some((range) => within(port, range)),
  );
  const range = `${ephemeral[0]}-${ephemeral[1]}`;
  if (atRisk.length === 0) return ok(name, `no port of outrider is among the ephemeral ones (${range})`);
  return warning(
    name,
    `among the ephemeral ports (${range}), any of which an outgoing connection may hold when its owner starts: ` +
      atRisk.map(({ port, purpose }) => `${port} (${purpose})`).join(", "),
    `sysctl -w net.ipv4.ip_local_reserved_ports=${atRisk.map(({ port }) => port).join(",")}, or choose ports below ${ephemeral[0]}`,
  );
}

/** "32768\t60999" of `ip_local_port_range`. */
export function parsePortRange(text: string): PortRange {
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  return [first, last];
}

/** "8080,9148-9150" of `ip_local_reserved_ports`; empty when none is. */
export function parseReservedPorts(text: string): readonly PortRange[] {
  return text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .map((part): PortRange => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return [first, last];
    });
}
