/**
 * The agent, read top to bottom: every part in order of start, and backwards in order of stop.
 *
 * Envoy is started first because it needs longest; what it will ask for (SDS, xDS) is listening by the time it
 * asks. On a stop only Envoy hears of it: the rest lives until Envoy is gone, because a draining Envoy needs it.
 */
import type { KeyObject } from "node:crypto";
import type { AgentConfig } from "../config/agent-config.ts";
import type { SupervisionEnd } from "../envoy/supervision/shown.ts";
import type { NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import { generatePrivateKey } from "../pki/key-pair.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import type { MetricSources } from "./metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { followReopenRequests } from "./own-log.ts";
import { requirePreconditions } from "./preconditions.ts";
import type { SupervisedEnvoy, SupervisedEnvoyDependencies } from "./supervised-envoy.ts";

/** What the agent gets from the process. */
export interface AgentDependencies extends MetricSources {
  /** Pid of the agent. */
  readonly pid: number;
  /** Reads the configuration again. @throws ConfigError */
  readonly configure: () => AgentConfig;
  /** Path of Envoy's binary; undefined for a proxyless application, which has none. */
  readonly envoyBinary: string | undefined;
  /** Knows the secrets of the configuration. */
  readonly redactor: Redactor;
  /** Gets each line of Envoy's own log. */
  readonly onEnvoyLogLine: (line: string) => void;
  /** Begin to drain. */
  readonly shutdown: AbortSignal;
  /** Stop without waiting. */
  readonly hurry: AbortSignal;
  /** How often a reload was asked for. */
  readonly reloadRequests: ReadonlyWatch<number>;
  /** How often it was asked to reopen log files. */
  readonly reopenLogsRequests: ReadonlyWatch<number>;
  /** How often a child has ended, was stopped or goes on. */
  readonly childChanges: ReadonlyWatch<number>;
  /** Every Envoy is gone: what remains is to close the parts. */
  readonly onEnd: (end: SupervisionEnd) => void;
}

/**
 * Run until Envoy is gone, or until asked to stop where there is none. Resolves with how it went.
 *
 * @throws ConfigError when Envoy cannot be started with this configuration, TaskFailedError when a part failed
 */
export async function runAgent(config: AgentConfig, deps: AgentDependencies): Promise<SupervisionEnd> {
  const { log, journal, redactor, pid, shutdown, hurry, envoyBinary: binary } = deps;
  const envoyLog = log.scope("envoy");
  await using claim = await requirePreconditions(config, envoyLog);
  if (shutdown.aborted) return { kind: "never-served" };

  await using tasks = new TaskGroup();
  const application = new AbortController();
  const quit = (reason: string): void => {
    if (shutdown.aborted) envoyLog.info("the application has ended in the drain", { reason });
    application.abort(new Error(reason));
  };
  const newcomers = new Watch<NewcomerServices | undefined>(undefined);
  const spans = new Watch<SpanSink | undefined>(undefined);
  const ends = { shutdown, applicationEnded: application.signal, hurry };
  await using envoy =
    binary === undefined
      ? undefined
      : await startEnvoy(config, { ...deps, ...ends, binary, newcomers, spans, tasks, log: envoyLog });

  // From here on Envoy boots, and nothing holds it up. Other threads make the key meanwhile.
  const firstKey = firstKeyOf(config.identity, tasks.signal);
  const late = await import("./late-parts.ts");
  // The first Envoy could not be started: nothing else is.
  if (envoy !== undefined && tasks.failure !== undefined) return await envoy.ended;
  const metrics = late.agentMetrics(deps, envoy, tasks);
  await using stack = new AsyncDisposableStack();
  const otlp = stack.use(
    late.startOtlp(config.otlp, {
      ...{ metrics, redactor },
      version: deps.version,
      log: log.scope("otlp"),
    }),
  );
  spans.set(otlp?.spans);
  const dns = await late.startDns(config.dns, { log, metrics, tasks, stack });
  const { identity, xds } = await late.startControlPlaneServices(config, {
    ...{ log, metrics, tasks, stack, dns, firstKey },
    spans: otlp?.spans,
  });
  if (otlp !== undefined) {
    tasks.spawn("trace-start", async (signal) => {
      await late.agentStarted(envoy, identity, signal);
      if (!signal.aborted) otlp.started();
    });
  }
  newcomers.set(late.newcomerServices(config.identity.source, identity, xds));
  if (config.proxyless !== undefined) late.writeGrpcBootstrap(config.proxyless, log);
  const workload = late.startWorkloadHealth(config.workloadHealth, {
    ...{ xds, log, metrics, tasks },
    supervisor: envoy?.supervisor,
  });
  if (envoy !== undefined) {
    const { supervisor } = envoy;
    stack.use(await late.listenOnAdminPort(config.admin, { supervisor, quit, log: log.scope("admin") }));
  }
  const health = log.scope("healthcheck");
  const nameTable = dns && late.nameTableState(dns);
  const readiness = late.announced(
    late.readinessProbe(config.outputCerts?.folder, {
      ...{ envoy, identity, xds, nameTable },
    }),
    health,
  );
  const losses = new late.SocketLosses(metrics);
  const problems = late.followProblems(config, {
    ...{ envoy, identity, xds, nameTable, readiness, losses, metrics, tasks },
    log: log.scope("problems"),
  });
  stack.use(
    await late.listenOnStatusPort(config, {
      ...{ pid, envoy, identity, xds, dns, workload, readiness, problems, metrics, journal, quit, redactor },
      log: health,
    }),
  );
  if (otlp !== undefined) tasks.spawn("load-telemetry", () => otlp.load());
  stack.use(late.announceAgent(config, pid, log));
  if (envoy !== undefined && config.application !== undefined) {
    const { supervisor } = envoy;
    stack.use(
      await late.listenForApplication(config.application, {
        ...{ supervisor, quit, tasks },
        log: log.scope("application"),
      }),
    );
  }
  tasks.spawn("keep-sockets", (signal) =>
    late.keepSockets(
      config,
      { claimPath: claim.socketPath, supervisor: envoy?.supervisor, losses, log: envoyLog },
      signal,
    ),
  );
  tasks.spawn("reopen-logs", (signal) =>
    followReopenRequests(deps, deps.reopenLogsRequests, envoy?.supervisor, signal),
  );
  envoy?.follow(deps.reloadRequests);

  const end = await (envoy?.ended ?? late.endWithoutEnvoy(identity.state, tasks.signal, ends));
  if (envoy === undefined) deps.onEnd(end);
  if (tasks.failure !== undefined) throw tasks.failure;
  return end;
}

/** A CA signs a key that is made here. Undefined where none does. */
function firstKeyOf(
  { source, key }: AgentConfig["identity"],
  signal: AbortSignal,
): Promise<KeyObject> | undefined {
  if (source.kind !== "ca") return undefined;
  const made = generatePrivateKey(key, signal);
  // Whoever asks for it hears of a failure.
  made.catch(() => undefined);
  return made;
}

/** Loaded where there is one to run: a proxyless agent does without all that looks after it. */
async function startEnvoy(config: AgentConfig, deps: SupervisedEnvoyDependencies): Promise<SupervisedEnvoy> {
  const { SupervisedEnvoy } = await import("./supervised-envoy.ts");
  return new SupervisedEnvoy(config, deps);
}
