/**
 * What would keep the wanted Envoy from being started.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { whyRefused } from "../doctor/bootstrap.ts";
import { lookForAgent } from "../doctor/running-agent.ts";
import { validateBootstrap } from "../doctor/validate-bootstrap.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import type { RunningEnvoy } from "./running-envoy.ts";

/** One line per obstacle. */
export async function obstaclesOf(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return [
    ...(await whyInvalid(launch, signal)),
    ...(running === undefined ? [] : whatCannotChange(config, running.agentPid)),
    ...whosePorts(config, launch, running),
  ];
}

async function whyInvalid(launch: PreparedLaunch, signal: AbortSignal): Promise<readonly string[]> {
  const { binary, options, bootstrap } = launch;
  const answer = await validateBootstrap(binary, options, bootstrap, signal);
  const reason = whyRefused(bootstrap, answer);
  return reason === undefined ? [] : [`Envoy refuses the bootstrap: ${reason}`];
}

/** An agent keeps the ports that it listens on itself for as long as it runs. */
function whatCannotChange(config: AgentConfig, agentPid: number): readonly string[] {
  const ports = [
    ["statusPort", config.status.port],
    ["proxyAdminPort", config.admin.port],
  ] as const;
  const held = portOwners(ports.map(([, port]) => port)).filter(({ pid }) => pid === agentPid);
  return ports
    .filter(([, port]) => port !== 0 && !held.some((owner) => owner.port === port))
    .map(([name]) => `ProxyConfig: ${name}: cannot change while the agent runs: restart it`);
}

/** Ports that must be free, or the agent's own. The Envoys of a killed agent are ended by the next start. */
function whosePorts(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy | undefined,
): readonly string[] {
  const agent = lookForAgent(config.envoy.configPath);
  const purposes = new Map<number, string>();
  for (const { name, address } of running?.listeners ?? []) {
    if (address !== undefined) purposes.set(address.port, `listener ${name}`);
  }
  for (const port of launch.staticPorts) purposes.set(port, "a listener of the bootstrap");
  for (const { port, purpose } of config.knownPorts) purposes.set(port, purpose);
  const own = new Set([agent.pid, ...agent.envoys, ...agent.strays]);
  return portOwners([...purposes.keys()])
    .filter(({ pid }) => pid === undefined || !own.has(pid))
    .map((owner) => describePortOwner(owner, purposes.get(owner.port) ?? "in use"));
}
