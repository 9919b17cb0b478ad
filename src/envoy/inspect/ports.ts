/**
 * The TCP ports that an Envoy needs, and whose they are.
 *
 * SO_REUSEPORT lets two Envoys of one user share a port without an error and split its traffic, so that every start and
 * every swap looks at the owners first.
 */
import { describePortOwner, type PortOwner } from "../../net/port-owner.ts";
import type { ListenerFacts } from "../admin/listeners.ts";

/** A port that must be free before Envoy starts. */
export interface KnownPort {
  readonly port: number;
  /** What it is for, as an operator would call it. */
  readonly purpose: string;
}

/** Those whose ports are no obstacle. */
export interface PortFriends {
  /** Pids of the agent and its Envoys. */
  readonly own: readonly number[];
  /** Pids of Envoys whose agent is gone: the next start ends them. */
  readonly strays: readonly number[];
  /** Listeners of the running Envoy; undefined when they are not known. */
  readonly listeners: readonly ListenerFacts[] | undefined;
}

/** Who has a port. */
export type PortHolder =
  | "own"
  | "stray"
  | "stranger"
  /** Another user's process, or one that its own user may not look into. */
  | "unseen";

/** Whose it is. */
export function holderOf({ pid, port }: PortOwner, { own, strays, listeners }: PortFriends): PortHolder {
  if (pid !== undefined) return own.includes(pid) ? "own" : strays.includes(pid) ? "stray" : "stranger";
  // Whoever cannot be seen on a port of the running Envoy is that Envoy: one with file capabilities is hidden.
  return listeners?.some(({ address }) => address?.port === port) === true ? "own" : "unseen";
}

/**
 * What it takes to listen: the ports of the running Envoy, which the newcomer gets as well, those of its bootstrap, and
 * those that are known by name.
 */
export function neededPorts(
  listeners: readonly ListenerFacts[] | undefined,
  staticPorts: readonly number[],
  knownPorts: readonly KnownPort[],
): ReadonlyMap<number, string> {
  const purposes = new Map<number, string>();
  for (const { name, address } of listeners ?? []) {
    if (address !== undefined) purposes.set(address.port, `listener ${name}`);
  }
  for (const port of staticPorts) purposes.set(port, "a listener of the bootstrap");
  for (const { port, purpose } of knownPorts) purposes.set(port, purpose);
  return purposes;
}

/** Who stands in the way, one line for each owner and port. */
export function foreignOwners(
  needed: ReadonlyMap<number, string>,
  owners: readonly PortOwner[],
  friends: PortFriends,
): readonly string[] {
  return owners.flatMap((owner) => {
    const purpose = needed.get(owner.port);
    const holder = holderOf(owner, friends);
    if (purpose === undefined || holder === "own" || holder === "stray") return [];
    return [describePortOwner(owner, purpose)];
  });
}
