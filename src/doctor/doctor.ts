/**
 * What could keep a sidecar from starting, swapping Envoy or staying alive, in the environment of this process.
 *
 * Every check runs at once; the network and Envoy are begun first, because they take longest.
 */
import type { ConfigSources } from "../config/sources/config-sources.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { judgeConfiguration } from "./configuration.ts";
import { controlPlaneChecks } from "./control-plane-checks.ts";
import { envoyChecks } from "./envoy-checks.ts";
import type { Finding } from "./finding.ts";
import { proxylessChecks } from "./proxyless.ts";
import { cacheChecks } from "./caches.ts";
import { agentChecks } from "./running-agent.ts";
import { upstreamChecks } from "./upstreams.ts";
import { type Check, runChecks } from "./run-checks.ts";
import { lookForAgent, noAgent } from "../envoy/inspect/running-agent.ts";
import { findAgentOnPort } from "../status/proxyless-agent.ts";
import { readSubject } from "./subject.ts";
import { systemChecks } from "./system-checks.ts";

/** What the checks need beside the configuration's sources. */
export interface DoctorContext {
  /** Flags that this release does not know. */
  readonly unknownFlags: readonly string[];
  /** Pid of the agent whose flags and environment these are; undefined when they are the caller's own. */
  readonly flagsOf: number | undefined;
}

/** All that was found. */
export interface DoctorReport {
  readonly findings: readonly Finding[];
  /** False when outrider would refuse to start with this configuration. */
  readonly isConfigurationUsable: boolean;
}

/** Longest look over the network, in milliseconds; shorter than a check's deadline, so that the step is named. */
const networkMs = 3_000;

/** Deadline of each check, in milliseconds. */
const checkMs = 4_000;

/** Checks of what only an Envoy needs. */
const ofEnvoy: readonly string[] = [
  ...["tcp-migrate-req", "shared-memory", "hot-restart-base-id"],
  ...["user", "capture", "open-files", "memory", "cpu"],
];

/** Never rejects for what is wrong with the environment. */
export async function examine(sources: ConfigSources, context: DoctorContext): Promise<DoctorReport> {
  const subject = readSubject(sources);
  using deadline = new Deadline(networkMs);
  const network = controlPlaneChecks(subject, deadline.signal);
  const recorded = subject.runsEnvoy ? lookForAgent(subject.configPath) : noAgent;
  const agent = { ...recorded, pid: recorded.pid ?? (await findAgentOnPort(subject.statusPort)) };
  const checks: readonly Check[] = [
    ...(subject.runsEnvoy ? envoyChecks(subject, agent, sources.env) : proxylessChecks(subject)),
    ...systemChecks(subject, agent, sources.env).filter(
      ({ name }) => subject.runsEnvoy || !ofEnvoy.includes(name),
    ),
    ...upstreamChecks(subject.admin, agent.envoys),
    ...cacheChecks(subject.config, agent.pid),
    ...network,
  ];
  const [ofAgent, ofSurroundings] = await Promise.all([
    runChecks(agentChecks(subject.statusPort, agent), checkMs),
    runChecks(checks, checkMs),
  ]);
  return {
    findings: [...ofAgent, ...judgeConfiguration({ ...subject, ...context }), ...ofSurroundings],
    isConfigurationUsable: subject.problems.length === 0,
  };
}
