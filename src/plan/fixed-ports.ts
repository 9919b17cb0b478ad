/**
 * Ports that an agent listens on itself, and keeps for as long as it runs.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { portOwners } from "../net/port-owner.ts";

/** One line for each that configuration has elsewhere now. */
export function whatCannotChange(config: AgentConfig, agentPid: number): readonly string[] {
  const ports = [
    ["statusPort", config.status.port],
    ["proxyAdminPort", config.admin.port],
  ] as const;
  const held = portOwners(ports.map(([, port]) => port)).filter(({ pid }) => pid === agentPid);
  return ports
    .filter(([, port]) => port !== 0 && !held.some((owner) => owner.port === port))
    .map(([name]) => `ProxyConfig: ${name}: cannot change while the agent runs: restart it`);
}
