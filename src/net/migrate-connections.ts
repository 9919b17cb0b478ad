/**
 * Whether the kernel moves the connections that wait in the queue of a closed socket to another socket of the same
 * port (`net.ipv4.tcp_migrate_req`, Linux 5.14; the kernel's ip-sysctl documentation).
 */
import { readFileSync } from "node:fs";

/** False also where the kernel does not know the setting. */
export function migratesConnections(): boolean {
  try {
    return readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "utf8").trim() === "1";
  } catch {
    return false;
  }
}
