/**
 * What a start without Envoy would do, with DISABLE_ENVOY: gRPC's bootstrap is all that it writes at once.
 */
import { readRegularText } from "../files/read-regular-file.ts";
import { grpcBootstrapText } from "../bootstrap/grpc-bootstrap.ts";
import type { AgentConfig, ProxylessOptions } from "../config/agent-config.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import { findProxylessAgent } from "../status/proxyless-agent.ts";
import { redactText } from "../telemetry/redact.ts";
import type { PlannedAction } from "./decide.ts";
import { unifiedDiff } from "./diff.ts";

/** What decides. */
export interface ProxylessFacts {
  /** Undefined when no agent runs. */
  readonly agentPid: number | undefined;
  /** gRPC's bootstrap would be another one than is there. */
  readonly isChanged: boolean;
  /** Ports that somebody else has. */
  readonly taken: readonly string[];
}

/** A running agent writes its bootstrap once. */
export function decideProxyless({ agentPid, isChanged, taken }: ProxylessFacts): PlannedAction {
  if (taken.length > 0) return { kind: "refuse", reasons: taken };
  if (agentPid === undefined) return { kind: "start" };
  if (!isChanged) return { kind: "none" };
  const reason = `the bootstrap of gRPC is written at a start: restart the agent (pid ${agentPid})`;
  return { kind: "refuse", reasons: [reason] };
}

/** The plan's own part. */
export async function planProxyless(
  config: AgentConfig,
  { bootstrapPath, bootstrap }: ProxylessOptions,
): Promise<{
  readonly action: PlannedAction;
  readonly agentPid: number | undefined;
  readonly diff: readonly string[];
}> {
  const agentPid = await findProxylessAgent(config.status.port);
  const before = bootstrapPath === undefined ? undefined : textOf(bootstrapPath);
  const after = bootstrapPath === undefined ? undefined : grpcBootstrapText(bootstrap);
  const taken = portOwners(config.knownPorts.map(({ port }) => port))
    .filter((owner) => owner.pid === undefined || owner.pid !== agentPid)
    .map((owner) => describePortOwner(owner, purposeOf(config, owner.port)));
  return {
    action: decideProxyless({ agentPid, isChanged: before !== after, taken }),
    agentPid,
    diff: unifiedDiff(
      { name: before === undefined ? "/dev/null" : (bootstrapPath ?? ""), text: redactText(before ?? "") },
      { name: "planned", text: redactText(after ?? "") },
    ),
  };
}

function purposeOf(config: AgentConfig, port: number): string {
  return config.knownPorts.find((known) => known.port === port)?.purpose ?? "in use";
}

/** Undefined where there is none, or none that may be read. */
function textOf(path: string): string | undefined {
  try {
    return readRegularText(path, { maxBytes: 2 ** 24 });
  } catch {
    return undefined;
  }
}
