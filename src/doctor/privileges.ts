/**
 * User, group and capabilities (capabilities(7)), against what this sidecar's way of capturing traffic needs.
 */
import { failure, type Finding, ok, warning } from "./finding.ts";

/** What decides. */
export interface Privileges {
  readonly uid: number;
  readonly gid: number;
  /** Bits of CapEff in `/proc/self/status`. */
  readonly capabilities: bigint;
  /** Lowest port that needs no capability: `net.ipv4.ip_unprivileged_port_start`. */
  readonly unprivilegedPortStart: number;
  /** INTERCEPTION_MODE: `REDIRECT` (Istio's default), `TPROXY` or `NONE`. */
  readonly interceptionMode: string;
  readonly ports: readonly { readonly port: number; readonly purpose: string }[];
}

const bits = { NET_BIND_SERVICE: 10, NET_ADMIN: 12 } as const;

/** User and group whose traffic Istio's rules let pass. */
const sidecarId = 1337;

/** One finding per thing that may lack. */
export function judgePrivileges(seen: Privileges): readonly Finding[] {
  return [judgeUser(seen), judgeCapabilities(seen)];
}

function judgeUser({ uid, gid, interceptionMode }: Privileges): Finding {
  const who = `uid ${uid}, gid ${gid}`;
  if (interceptionMode === "NONE" || uid === sidecarId || gid === sidecarId) return ok("user", who);
  return warning(
    "user",
    `${who}; with INTERCEPTION_MODE ${interceptionMode} Istio's rules let only uid or gid ${sidecarId} pass`,
    `run as ${sidecarId} (runAsUser and runAsGroup): the traffic of any other user is captured, Envoy's own included, ` +
      "and goes round in circles. Or set ISTIO_META_INTERCEPTION_MODE=NONE where nothing is captured",
  );
}

function judgeCapabilities(seen: Privileges): Finding {
  const name = "capabilities";
  const { capabilities, interceptionMode, unprivilegedPortStart } = seen;
  const has = (capability: keyof typeof bits): boolean =>
    ((capabilities >> BigInt(bits[capability])) & 1n) === 1n;
  const low = seen.ports.filter(({ port }) => port !== 0 && port < unprivilegedPortStart);
  if (interceptionMode === "TPROXY" && !has("NET_ADMIN")) {
    return failure(
      name,
      `NET_ADMIN is missing (CapEff ${hex(capabilities)}), which transparent sockets of INTERCEPTION_MODE TPROXY need`,
      "add NET_ADMIN to the container's securityContext.capabilities, or use INTERCEPTION_MODE REDIRECT",
    );
  }
  if (low.length > 0 && !has("NET_BIND_SERVICE")) {
    const ports = low.map(({ port, purpose }) => `${port} (${purpose})`).join(", ");
    return failure(
      name,
      `NET_BIND_SERVICE is missing (CapEff ${hex(capabilities)}), and these ports are below ${unprivilegedPortStart}: ${ports}`,
      "add NET_BIND_SERVICE to the container's securityContext.capabilities, lower net.ipv4.ip_unprivileged_port_start, " +
        "or choose higher ports",
    );
  }
  const words = [
    `CapEff ${hex(capabilities)}`,
    interceptionMode === "TPROXY" ? "NET_ADMIN is there for TPROXY" : "NET_ADMIN is not needed",
    low.length > 0
      ? `NET_BIND_SERVICE is there for ports below ${unprivilegedPortStart}`
      : `NET_BIND_SERVICE is needed only for listeners below port ${unprivilegedPortStart}`,
  ];
  return ok(name, words.join("; "));
}

function hex(capabilities: bigint): string {
  return capabilities.toString(16).padStart(16, "0");
}

/** CapEff of a `/proc/<pid>/status`; 0 when the line is missing. */
export function effectiveCapabilities(status: string): bigint {
  const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return digits === undefined ? 0n : BigInt(`0x${digits}`);
}
