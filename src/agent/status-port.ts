/**
 * The status port: what each of its routes works with, with an Envoy and without.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { DnsProxy } from "../dns/dns-proxy.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import type { HttpServer } from "../net/http-server.ts";
import type { AgentReport } from "../status/contract/agent-report.ts";
import type { Problem } from "../status/contract/problem.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import type { ReloadReport } from "../status/contract/reload-report.ts";
import { Profiling } from "../status/profile/profiling.ts";
import { listenForStatus } from "../status/server.ts";
import type { Journal } from "../telemetry/journal.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import type { HealthChecker } from "../workload-health/checker.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";
import { applicationProbes } from "./app-probes.ts";
import { envoyReport } from "./envoy-report.ts";
import { agentReport } from "./report.ts";
import { lateScraper } from "./scrape.ts";
import { pageView } from "./status-page.ts";
import { servedRoutes } from "./status-routes.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";

/** The parts of the agent that it shows. */
export interface StatusPortDependencies {
  /** Pid of the agent. */
  readonly pid: number;
  /** Undefined where none is to run. */
  readonly envoy: SupervisedEnvoy | undefined;
  readonly identity: SecretManager;
  readonly xds: XdsProxy;
  /** Undefined where it is switched off. */
  readonly dns: DnsProxy | undefined;
  /** Undefined when nothing checks the workload. */
  readonly workload: HealthChecker | undefined;
  readonly readiness: () => Promise<Readiness>;
  /** What is wrong now. */
  readonly problems: { readonly current: readonly Problem[] };
  readonly metrics: Metrics;
  readonly journal: Journal;
  readonly quit: (reason: string) => void;
  readonly log: Logger;
  readonly redactor: Redactor;
}

const nothingToSwap: ReloadReport = {
  result: "invalid",
  problems: ["there is no Envoy that could be swapped"],
};

/** Undefined where it is switched off. @throws the system error when the port cannot be bound */
export async function listenOnStatusPort(
  config: AgentConfig,
  deps: StatusPortDependencies,
): Promise<HttpServer | undefined> {
  const { status, scrape, nodeId, appProbes } = config;
  if (status.port === 0) return undefined;
  const {
    pid,
    envoy,
    identity,
    xds,
    dns,
    workload,
    readiness,
    problems,
    metrics,
    journal,
    quit,
    log,
    redactor,
  } = deps;
  const report = (): Promise<AgentReport> =>
    agentReport({
      ...{ pid, readiness, workload },
      problems: () => problems.current,
      identity: identity.state,
      xds: xds.state,
      envoy: envoy && (() => envoyReport(envoy.supervisor, envoy.reloader)),
    });
  return listenForStatus(
    status,
    servedRoutes(status),
    {
      ...{ xds, journal, dns },
      scrape: lateScraper(scrape, {
        ...{ metrics, redactor, log },
        envoySocket: () => envoy?.supervisor.admin.socketPath,
      }),
      probe: readiness,
      probeApplication: applicationProbes(appProbes, { log, metrics }),
      report,
      configuration: async () => {
        const { shownConfig } = await import("./shown-config.ts");
        return shownConfig(config, redactor.values);
      },
      page: {
        look: async () => {
          const view = pageView({ nodeId, pid, xds, journal }, await report());
          return { ...redactor.json(view), now: new Date() };
        },
      },
      reload: async () => (await envoy?.reloader.reload("a request to reload", true)) ?? nothingToSwap,
      // Without Envoy, whoever serves drains: the application.
      drain: async () => envoy?.supervisor.drainOnRequest(),
      quit: () => {
        quit("POST /quitquitquit on the status port");
      },
      profiling: new Profiling([process.execPath, ...process.execArgv, ...process.argv.slice(1)], (text) =>
        redactor.all(text),
      ),
    },
    { log, redactor },
  );
}
