/**
 * What is wrong with this agent, its Envoy and those that they depend on: where the facts come from.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";
import type { SocketLosses } from "./keep-sockets.ts";
import { Problems } from "./problems/follow.ts";
import type { NameTableState } from "./readiness.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";

/** The parts that may have some. */
export interface ProblemDependencies {
  /** Undefined where none is to run. */
  readonly envoy: SupervisedEnvoy | undefined;
  readonly identity: SecretManager;
  readonly xds: XdsProxy;
  /** Undefined where the agent serves no DNS. */
  readonly nameTable: NameTableState | undefined;
  readonly readiness: () => Promise<Readiness>;
  readonly losses: SocketLosses;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
}

/** Follow them in `tasks`. */
export function followProblems(
  config: AgentConfig,
  { envoy, identity, xds, nameTable, readiness, losses, log, metrics, tasks }: ProblemDependencies,
): Problems {
  const output = config.outputCerts?.folder;
  const problems = new Problems({
    ...{ readiness, log, metrics },
    identity: identity.state,
    xds: xds.state,
    namesAsOf: () => nameTable?.keptAsOf,
    supervisor: envoy?.supervisor,
    configuration: { refused: () => envoy?.reloader.problems ?? [], odd: config.warnings },
    lostSockets: () => losses.recent,
    folders: [config.envoy.configPath, ...(output === undefined ? [] : [output])],
  });
  problems.start(tasks);
  return problems;
}
