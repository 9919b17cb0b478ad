/**
 * Envoy and those who look after it: the supervisor, the witnesses of its ends, and the reloads of its configuration.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { launchOf } from "../config/launch.ts";
import type { SupervisionEnd } from "../envoy/supervision/shown.ts";
import { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { withEnvoySpans } from "./envoy-spans.ts";
import { Reloader } from "./reloader.ts";
import { Witnesses } from "../envoy/witnesses.ts";

/** What Envoy gets from the agent. */
export interface SupervisedEnvoyDependencies {
  /** Path of Envoy's binary. */
  readonly binary: string;
  /** Pid of the agent. */
  readonly pid: number;
  /** Reads the configuration again. @throws ConfigError */
  readonly configure: () => AgentConfig;
  readonly redactor: Redactor;
  readonly log: Logger;
  /** Gets each line of Envoy's own log. */
  readonly onEnvoyLogLine: (line: string) => void;
  /** What serves an Envoy that takes over; undefined until it listens. */
  readonly newcomers: ReadonlyWatch<NewcomerServices | undefined>;
  /** Gets spans; undefined until somebody traces them. */
  readonly spans: ReadonlyWatch<SpanSink | undefined>;
  /** How often a child has ended, was stopped or goes on. */
  readonly childChanges: ReadonlyWatch<number>;
  /** Outlives Envoy; a failure in it ends Envoy too. */
  readonly tasks: TaskGroup;
  /** Every Envoy is gone, however far the agent has come. */
  readonly onEnd: (end: SupervisionEnd) => void;
  /** Drain, and end. */
  readonly shutdown: AbortSignal;
  /** The application asks for the end, or is gone: a drain that is under way has less to wait for. */
  readonly applicationEnded: AbortSignal;
  /** End at once. */
  readonly hurry: AbortSignal;
}

/** One Envoy after the other; disposing ends them. */
export class SupervisedEnvoy implements AsyncDisposable {
  readonly supervisor: EnvoySupervisor;
  readonly reloader: Reloader;
  readonly #witnesses: Witnesses;
  readonly #tasks: TaskGroup;
  /** Resolves once every Envoy is gone. Rejects with the system error when the first bootstrap cannot be written. */
  readonly ended: Promise<SupervisionEnd>;
  readonly #stop = new AbortController();

  /**
   * Starts Envoy.
   *
   * @throws ConfigError when the bootstrap cannot be rendered
   */
  constructor(config: AgentConfig, deps: SupervisedEnvoyDependencies) {
    const { log, tasks, configure } = deps;
    this.#tasks = tasks;
    const launch = launchOf(config, deps.binary);
    this.#witnesses = new Witnesses(config.envoy.configPath, log, deps.redactor);
    this.supervisor = new EnvoySupervisor({
      launch,
      supervision: config.supervision,
      ownPids: [deps.pid],
      knownPorts: config.knownPorts,
      newcomers: deps.newcomers,
      childChanges: deps.childChanges,
      log,
      onLogLine: deps.onEnvoyLogLine,
      ...withEnvoySpans(this.#witnesses.observer, deps.spans),
      explain: this.#witnesses.explain,
      memory: this.#witnesses.memory,
    });
    this.reloader = new Reloader({ config, launch, configure, supervisor: this.supervisor, tasks, log });
    this.ended = this.supervisor.run({
      shutdown: AbortSignal.any([deps.shutdown, tasks.signal, this.#stop.signal]),
      applicationEnded: deps.applicationEnded,
      hurry: deps.hurry,
    });
    tasks.spawn("supervise-envoy", async () => {
      deps.onEnd(await this.ended);
    });
  }

  /** Take up changes of the configuration, and keep the account of OOM kills. */
  follow(reloadRequests: ReadonlyWatch<number>): void {
    this.#tasks.spawn("follow-oom-kills", (signal) => this.#witnesses.followOomKills(signal));
    this.#tasks.spawn("follow-files", (signal) => this.reloader.followFiles(signal));
    this.#tasks.spawn("follow-reload-requests", (signal) =>
      this.reloader.followRequests(reloadRequests, signal),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([this.ended]);
    await this.#witnesses[Symbol.asyncDispose]();
  }
}
