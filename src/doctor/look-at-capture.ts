/** Reads the kernel's rules and makes a connection that they should capture; it sends nothing. */
import { networkInterfaces } from "node:os";
import { toolsIn } from "../capture/apply/tool.ts";
import { probeLanding } from "../capture/proof/landing-probe.ts";
import { readHeldTables } from "../capture/trace/held-tables.ts";
import { listeningPorts } from "../net/port-owner.ts";
import { capturePorts, type SeenCapture, type SeenProbe } from "./capture.ts";

/** Shorter than a check's deadline, in milliseconds. */
const probeMs = 2_000;

/** Istio's probe port; nobody listens there. */
const probePort = 15_002;

/** Whoever listens on Envoy's ports may be another user's, whose agent is not to be seen. */
export async function lookAtCapture(): Promise<SeenCapture> {
  const listening = new Set(listeningPorts());
  const hasEnvoy = Object.values(capturePorts).every((port) => listening.has(port));
  const [held, probe] = await Promise.all([
    readHeldTables(toolsIn(undefined)),
    hasEnvoy ? lookByProbe() : undefined,
  ]);
  const [through = "eth0"] =
    Object.entries(networkInterfaces()).find(([, addresses]) =>
      addresses?.some(({ internal }) => !internal),
    ) ?? [];
  return { held, interface: through, probe };
}

/** True where Istio's rules take this process for the proxy, whose traffic is its own. */
export function isProxyUser(): boolean {
  return process.geteuid?.() === 1_337 || process.getegid?.() === 1_337;
}

/** The proxy's calls into its own pod are inbound; everybody else's to an address that is nobody's (RFC 5737) outbound. */
async function lookByProbe(): Promise<SeenProbe> {
  const uid = process.geteuid?.() ?? 0;
  const isProxy = isProxyUser();
  const host = isProxy ? "127.0.0.6" : "192.0.2.1";
  return {
    uid,
    to: `${host}:${probePort}`,
    expected: isProxy ? capturePorts.inbound : capturePorts.outbound,
    outcome: await probeLanding(host, probePort, probeMs),
  };
}
