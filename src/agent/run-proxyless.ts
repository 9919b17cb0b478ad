/**
 * The agent of a proxyless gRPC application: everything but Envoy, and a bootstrap for the application's own gRPC.
 */
import { dirname } from "node:path";
import { grpcBootstrapText } from "../bootstrap/grpc-bootstrap.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { stopEnd } from "../envoy/drain/stop-step.ts";
import type { SupervisionEnd } from "../envoy/state.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { makeFolder } from "../files/folder.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { announced } from "../status/announced.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import { Profiling } from "../status/profile/profiling.ts";
import { listenForStatus } from "../status/server.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { startControlPlaneServices } from "./control-plane-services.ts";
import { keepSockets } from "./keep-sockets.ts";
import { requirePreconditions } from "./preconditions.ts";
import { type OwnLog, registerLogMetrics, reopenOwnLog } from "./own-log.ts";
import { readinessWithoutEnvoy } from "./readiness.ts";
import { agentReport } from "./report.ts";
import { servedRoutes } from "./status-routes.ts";
import { startWorkloadHealth } from "./workload-health.ts";

/** What it gets from the process. */
export interface ProxylessDependencies extends OwnLog {
  /** Pid of the agent. */
  readonly pid: number;
  /** End. */
  readonly shutdown: AbortSignal;
  /** How often it was asked to reopen log files. */
  readonly reopenLogsRequests: ReadonlyWatch<number>;
  /** Knows the secrets of the configuration. */
  readonly redactor: Redactor;
}

/** Run until asked to stop. @throws ConfigError, TaskFailedError */
export async function runProxyless(
  config: AgentConfig,
  deps: ProxylessDependencies,
): Promise<SupervisionEnd> {
  const { log, redactor, shutdown } = deps;
  await using claim = await requirePreconditions(config, log);
  const quit = new AbortController();
  const metrics = new Metrics("istio_agent_");
  registerLogMetrics(metrics, deps);
  await using stack = new AsyncDisposableStack();
  const tasks = stack.use(new TaskGroup());
  const { identity, xds } = await startControlPlaneServices(config, { log, metrics, tasks, stack });
  tasks.spawn("keep-sockets", (signal) => keepSockets(config, claim.socketPath, undefined, log, signal));
  tasks.spawn("reopen-logs", async (signal) => {
    for await (const requests of deps.reopenLogsRequests.changes(signal))
      if (requests > 0) reopenOwnLog(deps);
  });
  const workload = startWorkloadHealth(config.workloadHealth, {
    ...{ xds, log, metrics, tasks },
    proxy: undefined,
  });
  const { proxyless } = config;
  if (proxyless?.bootstrapPath !== undefined) {
    makeFolder(dirname(proxyless.bootstrapPath), 0o755);
    // The application has a user of its own; there is no secret in it.
    writeFileAtomic(proxyless.bootstrapPath, grpcBootstrapText(proxyless.bootstrap), 0o644);
    log.info("bootstrap of proxyless gRPC written", { path: proxyless.bootstrapPath });
  }
  if (config.status.port !== 0) {
    const statusLog = log.scope("healthcheck");
    const readiness = async (): Promise<Readiness> =>
      readinessWithoutEnvoy(identity.state.current, config.outputCerts?.folder);
    const sources = {
      ...{ pid: deps.pid, readiness, workload },
      identity: identity.state,
      xds: xds.state,
      envoy: undefined,
    };
    stack.use(
      await listenForStatus(
        config.status,
        servedRoutes(config.status),
        {
          ...{ metrics, xds },
          probe: announced(readiness, statusLog),
          report: () => agentReport(sources),
          reload: async () => ({
            result: "invalid",
            problems: ["there is no Envoy that could be swapped"],
          }),
          // Whoever serves drains: the application.
          drain: async () => undefined,
          quit: () => {
            quit.abort();
          },
          profiling: new Profiling([process.execPath, ...process.execArgv, ...process.argv.slice(1)]),
        },
        { log: statusLog, redactor },
      ),
    );
  }
  const end = AbortSignal.any([shutdown, quit.signal, tasks.signal]);
  await new Promise<void>((resolve) => {
    if (end.aborted) resolve();
    else end.addEventListener("abort", () => resolve(), { once: true });
  });
  if (tasks.failure !== undefined) throw tasks.failure;
  return {
    kind: stopEnd({
      wasEverReady: identity.state.current.secret !== undefined,
      applicationEnded: quit.signal.aborted,
      isCut: false,
    }),
  };
}
