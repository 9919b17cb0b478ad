/**
 * What serves Envoy and the outside: identity, SDS, the ADS proxy, the admin port and the status port.
 */
import { ApplicationSocket } from "../application/socket.ts";
import { listenForAdmin } from "../envoy/admin-forwarder.ts";
import { untilLive } from "../envoy/serving.ts";
import type { NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import type { EnvoySupervisor } from "../envoy/supervisor.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { announced } from "../status/announced.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import { Profiling } from "../status/profile/profiling.ts";
import { listenForStatus } from "../status/server.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { startControlPlaneServices } from "./control-plane-services.ts";
import { newcomerServices } from "./newcomer-services.ts";
import type { Reloader } from "./reloader.ts";
import { type OwnLog, registerLogMetrics } from "./own-log.ts";
import { envoyReport } from "./envoy-report.ts";
import { readinessOfEnvoy } from "./readiness.ts";
import { agentReport } from "./report.ts";
import { servedRoutes } from "./status-routes.ts";
import { startWorkloadHealth } from "./workload-health.ts";
import { registerSupervisionMetrics } from "./supervision-metrics.ts";

/** What the services need from the composition. */
export interface ServiceDependencies extends OwnLog {
  /** Knows the secrets of the configuration. */
  readonly redactor: Redactor;
  /** Pid of the agent. */
  readonly pid: number;
  readonly supervisor: EnvoySupervisor;
  readonly reloader: Reloader;
  readonly tasks: TaskGroup;
  /** What was done as PID 1; undefined in any other process. */
  readonly init: { readonly orphansReaped: number } | undefined;
  /** Drain and end the agent with code 0: the application has ended, or asks for it. */
  readonly quit: (reason: string) => void;
}

/** The agent's servers; disposing closes them in reverse order of start. */
export class AgentServices implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  /** What the supervisor needs of them for a newcomer. */
  readonly forNewcomers: NewcomerServices;

  private constructor(stack: AsyncDisposableStack, forNewcomers: NewcomerServices) {
    this.#stack = stack;
    this.forNewcomers = forNewcomers;
  }

  /** @throws the error of a socket that cannot be bound */
  static async start(config: AgentConfig, deps: ServiceDependencies): Promise<AgentServices> {
    await using stack = new AsyncDisposableStack();
    const { log, redactor, supervisor, tasks } = deps;
    const metrics = new Metrics("istio_agent_");
    registerSupervisionMetrics(metrics, supervisor);
    registerLogMetrics(metrics, deps);
    const { init } = deps;
    if (init !== undefined) {
      metrics.computedCounter(
        "orphans_reaped_total",
        "Orphaned processes whose exit code was collected as PID 1.",
        () => init.orphansReaped,
      );
    }

    const { identity, xds } = await startControlPlaneServices(config, { log, metrics, tasks, stack });

    const workload = startWorkloadHealth(config.workloadHealth, {
      ...{ xds, log, metrics, tasks },
      proxy: { readiness: () => supervisor.readiness(), state: supervisor.report.state },
    });

    stack.use(
      await listenForAdmin({
        ...config.admin,
        socketPath: () => supervisor.admin.socketPath,
        unavailable: () => `Envoy is ${supervisor.report.state.current.kind}`,
        quit: () => {
          deps.quit("POST /quitquitquit on the admin port");
        },
        drained: (query) => {
          supervisor.noteDrain(query);
        },
        log: log.scope("admin"),
      }),
    );
    if (config.status.port !== 0) {
      const statusLog = log.scope("healthcheck");
      const readiness = (): Promise<Readiness> =>
        readinessOfEnvoy(supervisor, identity.state.current, xds.state.current);
      const sources = {
        ...{ pid: deps.pid, readiness, workload },
        identity: identity.state,
        xds: xds.state,
        envoy: () => envoyReport(supervisor, deps.reloader),
      };
      stack.use(
        await listenForStatus(
          config.status,
          servedRoutes(config.status),
          {
            ...{ metrics, xds },
            probe: announced(readiness, statusLog),
            report: () => agentReport(sources),
            reload: () => deps.reloader.reload("a request to reload", true),
            drain: () => supervisor.drainOnRequest(),
            quit: () => {
              deps.quit("POST /quitquitquit on the status port");
            },
            profiling: new Profiling([process.execPath, ...process.execArgv, ...process.argv.slice(1)]),
          },
          { log: statusLog, redactor },
        ),
      );
    }
    if (config.application !== undefined) {
      const application = stack.use(
        await ApplicationSocket.listen(config.application, {
          ready: (signal) => untilLive(supervisor.report.state, signal),
          log: log.scope("application"),
        }),
      );
      application.gone.addEventListener("abort", () => {
        deps.quit("the application is gone");
      });
    }
    return new AgentServices(stack.move(), newcomerServices(config.identity.source, identity, xds));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
