/**
 * The agent, read top to bottom: every part in order of start, and backwards in order of stop.
 *
 * Envoy is started first because it needs longest; what it will ask for (SDS, xDS) is listening by the time it
 * asks. On a stop only Envoy hears of it: the rest lives until Envoy is gone, because a draining Envoy needs it.
 */
import { accessSync, constants } from "node:fs";
import { finishBootstrap } from "../bootstrap/build.ts";
import { renderBootstrap, TemplateError } from "../bootstrap/render.ts";
import type { AgentConfig, BootstrapSource } from "../config/agent-config.ts";
import { ConfigError } from "../config/config-problem.ts";
import { defaultRestartPolicy } from "../envoy/restart-policy.ts";
import type { SupervisionEnd } from "../envoy/state.ts";
import { EnvoySupervisor } from "../envoy/supervisor.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../lifecycle/folder.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import type { Logger } from "../telemetry/log.ts";

/** What the agent gets from the process. */
export interface AgentDependencies {
  readonly log: Logger;
  /** Path of Envoy's binary. */
  readonly envoyBinary: string;
  /** Gets each line of Envoy's own log. */
  readonly onEnvoyLogLine: (line: string) => void;
  /** Begin to drain. */
  readonly shutdown: AbortSignal;
  /** Stop without waiting. */
  readonly hurry: AbortSignal;
}

/**
 * Run until Envoy is gone. Resolves with how it went.
 *
 * @throws ConfigError when Envoy cannot be started with this configuration, TaskFailedError when a part failed
 */
export async function runAgent(config: AgentConfig, deps: AgentDependencies): Promise<SupervisionEnd> {
  requireWritable(config.envoy.configPath);
  requireFreePorts(config);
  const supervisor = EnvoySupervisor.start({
    binary: deps.envoyBinary,
    envoy: config.envoy,
    restart: defaultRestartPolicy,
    renderBootstrap: bootstrapRenderer(config.bootstrap),
    log: deps.log.scope("envoy"),
    onLogLine: deps.onEnvoyLogLine,
  });
  const stop = new AbortController();
  const supervision = supervisor.run(AbortSignal.any([deps.shutdown, stop.signal]), deps.hurry);
  try {
    // Loaded while Envoy boots: gRPC and metrics cost as much as the agent's whole start before them.
    const { AgentServices } = await import("./services.ts");
    await using tasks = new TaskGroup();
    await using _services = await AgentServices.start(config, {
      ...deps,
      supervisor,
      tasks,
      quit: () => stop.abort(),
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

function bootstrapRenderer(source: BootstrapSource): (adminSocketPath: string) => string {
  if (source.kind === "custom") return (path) => finishBootstrap(source.bootstrap, undefined, path);
  const { template, parameters, override } = source;
  return (adminSocketPath) => {
    try {
      return finishBootstrap(
        renderBootstrap(template, { ...parameters, adminSocketPath }),
        override,
        adminSocketPath,
      );
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new ConfigError([{ source: "bootstrap template", path: "", message: error.message }]);
    }
  };
}

function requireWritable(configPath: string): void {
  try {
    makeFolder(configPath, 0o700);
    accessSync(configPath, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError([
      {
        source: "ProxyConfig",
        path: "configPath",
        message:
          `${configPath} cannot be written: ${errorMessage(error)}. Mount a writable volume there ` +
          "(an emptyDir in Kubernetes), or set configPath to a folder that this user may write",
      },
    ]);
  }
}

function requireFreePorts(config: AgentConfig): void {
  const problems = portOwners(config.knownPorts.map(({ port }) => port)).map((owner) => {
    const known = config.knownPorts.find(({ port }) => port === owner.port);
    return {
      source: "ports",
      path: "",
      message: `${describePortOwner(owner, known?.purpose ?? "in use")}: stop it, or choose another port`,
    };
  });
  if (problems.length > 0) throw new ConfigError(problems);
}
