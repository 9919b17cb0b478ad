/**
 * Reads the configuration again and asks for another Envoy when it gives another one.
 *
 * What only the agent itself uses (its ports, its control plane) is fixed until it is restarted; a change of it is
 * said, and refused where an Envoy with it could not work beside this agent.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { ConfigError, describeProblem } from "../schema/config-problem.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { Coalesced } from "../lifecycle/coalesced.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { followChanges } from "../files/file-changes.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { ReloadReport } from "../status/contract/reload-report.ts";
import type { Logger } from "../telemetry/log.ts";
import { launchOf } from "../config/launch.ts";

/** What a reload works with. */
export interface ReloaderOptions {
  /** The configuration in use. */
  readonly config: AgentConfig;
  readonly launch: PreparedLaunch;
  /** Reads it again. @throws ConfigError */
  readonly configure: () => AgentConfig;
  readonly supervisor: EnvoySupervisor;
  readonly tasks: TaskGroup;
  readonly log: Logger;
}

/** Least time between two reads, in milliseconds: nothing else is done during one. */
const betweenReadsMs = 100;

interface ReloadRequest {
  /** What set it off, for the log. */
  readonly trigger: string;
  /** Also when the same configuration has failed before. */
  readonly isForced: boolean;
}

/** One configuration after the other. */
export class Reloader {
  readonly #options: ReloaderOptions;
  /** Files that the newest configuration was read from. */
  #files: readonly string[];
  #launch: PreparedLaunch;
  #problems: readonly string[] = [];
  /** Reloads that nobody waits for, so far. */
  #begun = 0;
  readonly #reads = new Coalesced<ReloadRequest, ReloadReport>(
    (requests) => this.#read([...new Set(requests.map(({ trigger }) => trigger))].join(", "), requests),
    betweenReadsMs,
  );

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#files = options.config.files;
    this.#launch = options.launch;
  }

  /** What is wrong with the configuration as it is on disk; empty when nothing. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Read again now, once for all who ask at once. Resolves when it is clear what became of it. */
  reload(trigger: string, isForced: boolean): Promise<ReloadReport> {
    return this.#reads.ask({ trigger, isForced });
  }

  async #read(trigger: string, requests: readonly ReloadRequest[]): Promise<ReloadReport> {
    const { configure, supervisor, log } = this.#options;
    try {
      const config = configure();
      this.#files = config.files;
      this.#requireUnchanged(config);
      this.#launch = launchOf(config, this.#options.launch.binary);
    } catch (error) {
      this.#problems =
        error instanceof ConfigError ? error.problems.map(describeProblem) : [errorMessage(error)];
      log.error("changed configuration cannot be used, Envoy serves on as it was", {
        trigger,
        problems: this.#problems.join("; "),
      });
      return { result: "invalid", problems: this.#problems };
    }
    this.#problems = [];
    const isForced = requests.some((request) => request.isForced);
    return supervisor.swap(this.#launch, trigger, isForced);
  }

  /** Reload whenever a file changes, until `signal` aborts. */
  async followFiles(signal: AbortSignal): Promise<void> {
    await followChanges(
      () => [...this.#files, ...this.#launch.files, this.#launch.binary],
      () => {
        this.#begin("a file has changed", false);
      },
      signal,
    );
  }

  /** Reload at each request, until `signal` aborts. */
  async followRequests(requests: ReadonlyWatch<number>, signal: AbortSignal): Promise<void> {
    for await (const count of requests.changes(signal)) {
      if (count === 0) continue;
      this.#options.log.info("reload requested", { requests: count });
      this.#begin("SIGHUP", true);
    }
  }

  /** Not awaited: a newer change supersedes one that still waits. */
  #begin(trigger: string, isForced: boolean): void {
    this.#begun += 1;
    this.#options.tasks.spawn(`reload-${this.#begun}`, async () => {
      await this.reload(trigger, isForced);
    });
  }

  #requireUnchanged(config: AgentConfig): void {
    const { config: before, log } = this.#options;
    const needed = fixed(before);
    const problems = fixed(config).flatMap(([name, value], index) =>
      needed[index]?.[1] === value
        ? []
        : [{ source: "ProxyConfig", path: name, message: "cannot change while the agent runs: restart it" }],
    );
    if (problems.length > 0) throw new ConfigError(problems);
    const inUse = later(before);
    const restartOnly = later(config).filter(([, value], index) => value !== inUse[index]?.[1]);
    if (restartOnly.length > 0) {
      log.warn("changed configuration of the agent itself takes effect when it is restarted", {
        parts: restartOnly.map(([words]) => words).join("; "),
      });
    }
  }
}

/** An Envoy that disagrees with the agent on these would not find it. */
function fixed(config: AgentConfig): readonly (readonly [name: string, value: string])[] {
  return [
    ["configPath", config.envoy.configPath],
    ["statusPort", String(config.status.port)],
    ["proxyAdminPort", String(config.admin.port)],
  ];
}

/** Parts whose change the agent takes up at its next start, in words without secrets, and what tells a change. */
function later(config: AgentConfig): readonly (readonly [words: string, value: string])[] {
  const parts = [
    `discoveryAddress ${config.xds.upstream.address}`,
    `CA address ${config.identity.caAddress}`,
    `trust domain ${config.identity.trustDomain}`,
    `identity from ${config.identity.source.kind}`,
  ];
  return [
    ...parts.map((part) => [part, part] as const),
    ["readinessProbe", JSON.stringify(config.workloadHealth ?? null)],
    ["limits of swaps, restarts and hangs", JSON.stringify(config.supervision)],
    ["the identity cache", JSON.stringify(config.identity.cache ?? null)],
    ["--onRotate", JSON.stringify(config.outputCerts?.onRotate ?? null)],
    ["the xDS cache", JSON.stringify(config.xds.cache ?? null)],
    ["the application's socket", JSON.stringify(config.application ?? null)],
    ["where telemetry is exported to", JSON.stringify(config.otlp ?? null)],
    ["--wasmFolder", config.wasm?.folder ?? ""],
    ["--socketMode", String(config.sds.mode)],
  ];
}
