/**
 * What is looked at before a newcomer is started: its bootstrap, its ports, and how it could take over.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { migratesConnections } from "../../net/migrate-connections.ts";
import { describePortOwner, portOwners } from "../../net/port-owner.ts";
import { diagnoseExit } from "../exits/exit-diagnosis.ts";
import type { Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { hotRestartObstacle } from "../generation/lineage.ts";
import type { ListenerFacts } from "../admin/listeners.ts";
import { findUnreadyParts } from "./proof.ts";
import { decideSwapMode, type SwapDecision, type SwapModeRequest } from "./swap-mode.ts";
import { hotRestartVersion, validate, type Validation } from "./validate.ts";

/** The Envoy that is to be replaced. */
export interface Incumbent {
  readonly generation: Generation;
  /** It has lost its admin interface, or hangs: it is not worth asking. */
  readonly isSilent: boolean;
  /** Its listeners when it was asked last; undefined when it never was. */
  readonly listeners: readonly ListenerFacts[] | undefined;
}

/** What the look works with. */
export interface PreflightDependencies {
  /** Pids of this agent and its Envoys: their ports are no obstacle. */
  readonly ownPids: () => readonly number[];
  /** Ports that must belong to nobody else, beside those of the bootstrap's listeners. */
  readonly knownPorts: readonly { readonly port: number; readonly purpose: string }[];
  /** Memory of the running Envoy and room for another, in bytes. */
  readonly memory: (
    envoyPid: number,
  ) => { readonly envoyBytes: number; readonly freeBytes: number } | undefined;
}

/** What Envoy's own check says against the bootstrap; undefined when nothing. */
export async function whyInvalid(launch: PreparedLaunch, cancel: AbortSignal): Promise<string | undefined> {
  try {
    const validation = await validate(launch, cancel);
    switch (validation.kind) {
      case "valid":
        return undefined;
      case "not-a-program":
        return `${launch.binary} is no program that this machine can run, another architecture's or cut short: ${validation.complaint}`;
      case "no-answer":
        return `Envoy did not finish validating the bootstrap within ${validation.afterMs} ms`;
      case "invalid":
        return describeRefusal(launch, validation);
    }
  } catch (error) {
    return `the bootstrap cannot be validated: ${errorMessage(error)}`;
  }
}

function describeRefusal(
  launch: PreparedLaunch,
  { exit, lines }: Extract<Validation, { kind: "invalid" }>,
): string {
  const { message, field } = diagnoseExit({
    exit,
    lines,
    asked: undefined,
    wasLive: false,
    bootstrap: launch.bootstrap,
    oomKills: { kind: "unknown", reason: "a validation is not watched" },
    portOwners: [],
  });
  return `Envoy refuses the bootstrap${field === undefined ? "" : ` (${field})`}: ${message}`;
}

/** What is known of the running Envoy. */
export interface RunningFacts {
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** What the running Envoy lacks already. */
  readonly faults: readonly string[];
}

/** An Envoy that does not answer is replaced on what was known of it before. */
export async function askRunning({ generation, isSilent, listeners }: Incumbent): Promise<RunningFacts> {
  const known: RunningFacts = { listeners, faults: [] };
  if (isSilent) return known;
  try {
    const { admin } = generation;
    const [current, faults] = await Promise.all([admin.listeners(), findUnreadyParts(admin)]);
    return { listeners: current, faults };
  } catch {
    return known;
  }
}

/** Who else has a port that the newcomer needs; undefined when nobody. */
export function whosePorts(
  launch: PreparedLaunch,
  listeners: readonly ListenerFacts[] | undefined,
  deps: PreflightDependencies,
): string | undefined {
  const purposes = new Map<number, string>();
  const running = new Set<number>();
  for (const { name, address } of listeners ?? []) {
    if (address === undefined) continue;
    running.add(address.port);
    purposes.set(address.port, `listener ${name}`);
  }
  for (const port of launch.staticPorts) purposes.set(port, "a listener of the bootstrap");
  for (const { port, purpose } of deps.knownPorts) purposes.set(port, purpose);
  const own = new Set(deps.ownPids());
  // Whoever cannot be seen on a port of the running Envoy is that Envoy: one with file capabilities is hidden.
  const foreign = portOwners([...purposes.keys()]).filter(({ pid, port }) =>
    pid === undefined ? !running.has(port) : !own.has(pid),
  );
  if (foreign.length === 0) return undefined;
  return foreign.map((owner) => describePortOwner(owner, purposes.get(owner.port) ?? "in use")).join("; ");
}

/** How the newcomer can take over. */
export async function decideTakeOver(
  active: Generation,
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  listeners: readonly ListenerFacts[] | undefined,
  deps: PreflightDependencies,
  cancel: AbortSignal,
): Promise<SwapDecision> {
  return decideSwapMode({
    requested,
    listeners,
    hotObstacle: await whyNotHot(active, launch, cancel),
    migratesConnections: migratesConnections(),
    memory: active.pid === undefined ? undefined : deps.memory(active.pid),
  });
}

async function whyNotHot(
  active: Generation,
  launch: PreparedLaunch,
  cancel: AbortSignal,
): Promise<string | undefined> {
  const { lineage } = active;
  if (lineage === undefined)
    return hotRestartObstacle() ?? "the running Envoy was started without hot restart";
  if (lineage.obstacle !== undefined) return lineage.obstacle;
  if (active.launch.options.concurrency !== launch.options.concurrency) {
    return "hot restart keeps the number of workers, which is to change";
  }
  if (active.launch.binary === launch.binary && active.launch.binaryIdentity === launch.binaryIdentity) {
    return undefined;
  }
  try {
    const [before, after] = await Promise.all([
      active.admin.serverInfo().then(({ hotRestartVersion: version }) => version),
      hotRestartVersion(launch.binary, cancel),
    ]);
    return before === after ? undefined : `the Envoys' hot restart versions differ: ${before} and ${after}`;
  } catch (error) {
    return `the Envoys' hot restart versions are unknown: ${errorMessage(error)}`;
  }
}
