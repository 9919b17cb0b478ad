/**
 * Gathers the facts of one inspection, in the order in which they cost and last: Envoy's own check first, and last, as
 * near to a start as can be, the owners of the ports.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { migratesConnections } from "../../net/migrate-connections.ts";
import { portOwners } from "../../net/port-owner.ts";
import type { ListenerFacts } from "../admin/listeners.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { askHotRestartVersion } from "./ask-binary.ts";
import type { MemoryRoom } from "./headroom.ts";
import { dependsOnVersions, type HotRestartFacts, type HotRestartVersions } from "./hot-restart.ts";
import { type Inspection, judgeLaunch, portsNeededBy, type RunningFacts } from "./inspection.ts";
import type { KnownPort, PortFriends } from "./ports.ts";
import type { SwapModeRequest } from "./swap-mode.ts";
import type { Validation } from "./validation.ts";

/** The Envoy that serves, as its agent or somebody beside it can see it. */
export interface Incumbent {
  /** Undefined when it cannot be asked. Never rejects. */
  listeners(): Promise<readonly ListenerFacts[] | undefined>;
  /** What its hot restart depends on. */
  hotRestart(launch: PreparedLaunch): Omit<HotRestartFacts, "versions">;
  /** @throws when it does not tell */
  hotRestartVersion(): Promise<string>;
  /** Undefined when it is not known. */
  memory(): MemoryRoom | undefined;
}

/** What is inspected, and how its surroundings are looked at. */
export interface InspectionRequest {
  readonly launch: PreparedLaunch;
  readonly requested: SwapModeRequest;
  /** Envoy's own check of the bootstrap. */
  readonly validate: (launch: PreparedLaunch, cancel: AbortSignal) => Promise<Validation>;
  /** Undefined where no Envoy serves. */
  readonly incumbent: Incumbent | undefined;
  readonly knownPorts: readonly KnownPort[];
  /** Looked at last: Envoys come and go. */
  readonly friends: () => Omit<PortFriends, "listeners">;
  /** Look on when Envoy refuses the bootstrap, for whoever wants to know all that stands in the way. */
  readonly wantsAll: boolean;
}

/** Never rejects for what it finds. */
export async function inspect(request: InspectionRequest, cancel: AbortSignal): Promise<Inspection> {
  const { launch, requested, knownPorts, incumbent } = request;
  const validation = await validated(request, cancel);
  const looksOn = validation.kind === "valid" || request.wantsAll;
  const running = looksOn && incumbent !== undefined ? await lookAt(incumbent, launch, cancel) : undefined;
  const needed = portsNeededBy({ launch, running, knownPorts });
  return judgeLaunch({
    ...{ launch, validation, requested, running, knownPorts },
    owners: looksOn ? portOwners([...needed.keys()]) : [],
    friends: request.friends(),
    migratesConnections: migratesConnections(),
  });
}

async function validated({ launch, validate }: InspectionRequest, cancel: AbortSignal): Promise<Validation> {
  try {
    return await validate(launch, cancel);
  } catch (error) {
    return { kind: "not-asked", reason: errorMessage(error) };
  }
}

async function lookAt(
  incumbent: Incumbent,
  launch: PreparedLaunch,
  cancel: AbortSignal,
): Promise<RunningFacts> {
  const listeners = await incumbent.listeners();
  const facts = incumbent.hotRestart(launch);
  const versions = dependsOnVersions(facts) ? await compare(incumbent, launch, cancel) : undefined;
  return { listeners, hotRestart: { ...facts, versions }, memory: incumbent.memory() };
}

async function compare(
  incumbent: Incumbent,
  { binary }: PreparedLaunch,
  cancel: AbortSignal,
): Promise<HotRestartVersions> {
  try {
    const [running, wanted] = await Promise.all([
      incumbent.hotRestartVersion(),
      askHotRestartVersion(binary, cancel),
    ]);
    return { kind: "known", running, wanted };
  } catch (error) {
    return { kind: "unknown", reason: errorMessage(error) };
  }
}
