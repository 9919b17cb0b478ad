/**
 * What a start or a reload would do now. Nothing is changed by looking.
 */
import { existsSync } from "node:fs";
import { launchOf } from "../config/launch.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { findEnvoy } from "../envoy/binary/ensure.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import { inspect } from "../envoy/inspect/inspect.ts";
import type { Inspection } from "../envoy/inspect/inspection.ts";
import { incumbentOf } from "../envoy/inspect/outside-incumbent.ts";
import { lookForAgent } from "../envoy/inspect/running-agent.ts";
import { lookAtRunningEnvoy, type RunningEnvoy } from "../envoy/inspect/running-envoy.ts";
import { validateElsewhere } from "../envoy/inspect/validate-elsewhere.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { bootstrapDiff, changesOf } from "./bootstrap-diff.ts";
import type { Change } from "./changes.ts";
import { decidePlan, type PlannedAction } from "./decide.ts";
import { whatCannotChange } from "./fixed-ports.ts";
import { planProxyless } from "./proxyless.ts";
import { argumentsFor } from "./take-over.ts";

/** The plan, without secrets. */
export interface Plan {
  readonly action: PlannedAction;
  /** The Envoy that serves now; undefined when none does. */
  readonly running:
    | {
        readonly generation: number;
        readonly pid: number;
        readonly version: string | undefined;
        /** Why a swap that was asked for has not begun. */
        readonly swapWaitsFor: string | undefined;
      }
    | undefined;
  /** Set where no Envoy is to run. */
  readonly proxyless?: {
    /** Undefined when no agent runs. */
    readonly agentPid: number | undefined;
    /** Where gRPC's bootstrap goes; undefined writes none. */
    readonly bootstrapPath: string | undefined;
  };
  /** Empty when there is no Envoy to run. */
  readonly argv: readonly string[];
  readonly changes: readonly Change[];
  /** Lines of a unified diff of the bootstrap; all of it is new when no Envoy runs. */
  readonly diff: readonly string[];
  /** Files that the result depends on; a change of one is picked up by a running agent. */
  readonly files: readonly { readonly path: string; readonly exists: boolean }[];
}

/** Longest run of Envoy for an answer, in milliseconds; as long as the agent gives it. */
const envoyMs = 30_000;

/** A plan that is nothing but the reasons against it. */
export function refusal(reasons: readonly string[], files: readonly string[] = []): Plan {
  return {
    action: { kind: "refuse", reasons },
    running: undefined,
    argv: [],
    changes: [],
    diff: [],
    files: existing(files),
  };
}

/** @throws ConfigError when the bootstrap cannot be rendered, Error when the running Envoy is another user's */
export async function makePlan(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Plan> {
  if (config.proxyless !== undefined) {
    const { agentPid, ...plan } = await planProxyless(config, config.proxyless);
    const { bootstrapPath } = config.proxyless;
    return {
      ...plan,
      running: undefined,
      proxyless: { agentPid, bootstrapPath },
      argv: [],
      changes: [],
      files: existing(config.files),
    };
  }
  const running = await lookAtRunningEnvoy(config.envoy.configPath, config.status.port);
  const binary = binaryFor(config, running, env);
  if (binary.kind === "none") return refusal([binary.reason], config.files);
  const launch = launchOf(config, binary.path);
  using deadline = new Deadline(envoyMs);
  const { refusals, swap } = await inspectFor(config, launch, running, deadline.signal);
  const reasons = refusals.map(({ reason }) => reason);
  const action =
    running === undefined
      ? decidePlan({ changes: undefined, obstacles: reasons, swap: undefined })
      : decidePlan({
          changes: changesOf(launch, running),
          obstacles: [...whatCannotChange(config, running.agent.pid), ...reasons],
          swap,
        });
  return {
    action,
    running: running && {
      generation: running.generation,
      pid: running.pid,
      version: running.info?.version,
      swapWaitsFor: running.report?.swapWaitsFor,
    },
    argv: [launch.binary, ...argumentsFor(config, launch, running, action)],
    changes: running === undefined ? [] : changesOf(launch, running),
    diff: bootstrapDiff(launch, running),
    files: existing([...new Set([...config.files, ...launch.files, launch.binary])]),
  };
}

/** The agent's own inspection, asked from beside it. */
function inspectFor(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy | undefined,
  signal: AbortSignal,
): Promise<Inspection> {
  const { configPath } = config.envoy;
  const { pid, envoys, strays } = running?.agent ?? lookForAgent(configPath);
  return inspect(
    {
      launch,
      requested: config.supervision.swapMode,
      validate: validateElsewhere,
      incumbent: running === undefined || !serves(running) ? undefined : incumbentOf(running),
      knownPorts: config.knownPorts,
      // A start ends strays; a running agent has done so, and takes what has come since for a stranger.
      friends: () => (pid === undefined ? { own: [], strays } : { own: [pid, ...envoys], strays: [] }),
      wantsAll: true,
    },
    signal,
  );
}

/** One of an agent that does not answer is taken to. */
function serves({ report }: RunningEnvoy): boolean {
  return report === undefined || report.state === "live";
}

type Binary =
  { readonly kind: "path"; readonly path: string } | { readonly kind: "none"; readonly reason: string };

/** A running agent stays with the path that it found at its start. */
function binaryFor(
  config: AgentConfig,
  running: RunningEnvoy | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Binary {
  if (running !== undefined) return { kind: "path", path: running.binaryPath };
  const located = findEnvoy({ ...config.envoyBinary, env });
  switch (located.kind) {
    case "found":
      return { kind: "path", path: located.path };
    case "named-but-missing":
      return {
        kind: "none",
        reason: `${located.source} names ${located.path}, which is not an executable file`,
      };
    case "missing":
      return {
        kind: "none",
        reason: `there is no Envoy yet (looked at ${located.tried.join(", ")}): run outrider envoy first`,
      };
  }
}

function existing(paths: readonly string[]): Plan["files"] {
  return paths.map((path) => ({ path, exists: existsSync(path) }));
}
