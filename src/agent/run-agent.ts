/**
 * The agent, read top to bottom: every part in order of start, and backwards in order of stop.
 *
 * Envoy is started first because it needs longest; what it will ask for (SDS, xDS) is listening by the time it
 * asks. On a stop only Envoy hears of it: the rest lives until Envoy is gone, because a draining Envoy needs it.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { SupervisionEnd } from "../envoy/state.ts";
import { EnvoySupervisor } from "../envoy/supervisor.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { keepSockets } from "./keep-sockets.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import { launchOf } from "../config/launch.ts";
import { requirePreconditions } from "./preconditions.ts";
import { Reloader } from "./reloader.ts";
import { type OwnLog, reopenOwnLog } from "./own-log.ts";
import { Witnesses } from "./witnesses.ts";

/** What the agent gets from the process. */
export interface AgentDependencies extends OwnLog {
  /** Pid of the agent. */
  readonly pid: number;
  /** Reads the configuration again. @throws ConfigError */
  readonly configure: () => AgentConfig;
  /** Path of Envoy's binary. */
  readonly envoyBinary: string;
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
  /** Supervision is over, every Envoy gone: what remains is to close the parts. */
  readonly onEnd: (end: SupervisionEnd) => void;
  /** What was done as PID 1; undefined in any other process. */
  readonly init: { readonly orphansReaped: number } | undefined;
}

/**
 * Run until Envoy is gone. Resolves with how it went.
 *
 * @throws ConfigError when Envoy cannot be started with this configuration, TaskFailedError when a part failed
 */
export async function runAgent(config: AgentConfig, deps: AgentDependencies): Promise<SupervisionEnd> {
  const log = deps.log.scope("envoy");
  await using claim = await requirePreconditions(config, log);
  if (deps.shutdown.aborted) return { kind: "never-served" };
  const launch = launchOf(config, deps.envoyBinary);
  await using witnesses = new Witnesses(config.envoy.configPath, log, deps.redactor);
  const supervisor = EnvoySupervisor.start({
    launch,
    supervision: config.supervision,
    ownPids: [deps.pid],
    knownPorts: config.knownPorts,
    log,
    onLogLine: deps.onEnvoyLogLine,
    observer: witnesses.observer,
    explain: witnesses.explain,
    memory: witnesses.memory,
  });
  const stop = new AbortController();
  const applicationEnded = new AbortController();
  const supervision = supervisor.run({
    shutdown: AbortSignal.any([deps.shutdown, stop.signal]),
    applicationEnded: applicationEnded.signal,
    hurry: deps.hurry,
  });
  void supervision.then(deps.onEnd);
  try {
    // Loaded while Envoy boots: gRPC and metrics cost as much as the agent's whole start before them.
    const { AgentServices } = await import("./services.ts");
    await using tasks = new TaskGroup();
    const reloader = new Reloader({ config, launch, configure: deps.configure, supervisor, log });
    await using services = await AgentServices.start(config, {
      ...deps,
      supervisor,
      reloader,
      tasks,
      quit: (reason) => {
        if (deps.shutdown.aborted) log.info("the application has ended in the drain", { reason });
        applicationEnded.abort(new Error(reason));
      },
    });
    supervisor.attach(services.forNewcomers);
    tasks.spawn("keep-sockets", (signal) => keepSockets(config, claim.socketPath, supervisor, log, signal));
    tasks.spawn("follow-oom-kills", (signal) => witnesses.followOomKills(signal));
    tasks.spawn("follow-files", (signal) => reloader.followFiles(signal));
    tasks.spawn("follow-reload-requests", (signal) => reloader.followRequests(deps.reloadRequests, signal));
    tasks.spawn("reopen-logs", async (signal) => {
      for await (const requests of deps.reopenLogsRequests.changes(signal)) {
        if (requests === 0) continue;
        reopenOwnLog(deps);
        log.info("reopening log files requested", { requests });
        await supervisor.reopenLogs().catch((error: unknown) => {
          log.warn("Envoy was not asked to reopen its log files", { reason: errorMessage(error) });
        });
      }
    });
    tasks.signal.addEventListener("abort", () => {
      stop.abort();
    });
    const end = await supervision;
    if (tasks.failure !== undefined) throw tasks.failure;
    return end;
  } finally {
    stop.abort();
    await supervision;
  }
}
