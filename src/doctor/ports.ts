/**
 * Who holds the ports of the agent and its Envoy.
 *
 * SO_REUSEPORT lets two Envoys of one user share a port without an error and split its traffic, so the owners are
 * looked at, not whether a bind succeeds.
 */
import { describePortOwner, listeningPorts, type PortOwner, portOwners } from "../net/port-owner.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";
import { holderOf, type KnownPort, type PortFriends } from "../envoy/inspect/ports.ts";
import type { RunningAgent } from "../envoy/inspect/running-agent.ts";

/** Who runs here, and what the running Envoy listens on. */
export type PortUsers = RunningAgent & Pick<PortFriends, "listeners">;

const name = "ports";

/**
 * One finding per port that somebody else has, or one for all that are well. A port that the running agent has as
 * well is `judgeSharedPorts`' matter.
 */
export function judgePorts(
  ports: readonly KnownPort[],
  owners: readonly PortOwner[],
  agent: PortUsers,
): readonly Finding[] {
  const findings = ports.flatMap(({ port, purpose }) => {
    const holders = owners.filter((owner) => owner.port === port);
    if (holders.some((owner) => isOwn(owner, agent))) return [];
    return holders.map((owner) => judgeOwner(owner, purpose, agent));
  });
  if (findings.length > 0) return findings;
  const numbers = ports.map(({ port }) => port).join(", ");
  return [
    ok(
      name,
      agent.pid === undefined
        ? `free: ${numbers}`
        : `free, or held by the running agent (pid ${agent.pid}) and its Envoy: ${numbers}`,
    ),
  ];
}

function judgeOwner(owner: PortOwner, purpose: string, agent: PortUsers): Finding {
  const seen = describePortOwner(owner, purpose);
  const holder = holderOf(owner, friendsOf(agent));
  if (holder === "stray") {
    return warning(
      name,
      `${seen}, the Envoy of an agent that was killed`,
      "the next start of outrider ends it",
    );
  }
  if (holder === "unseen" && agent.pid !== undefined) {
    return warning(
      name,
      seen,
      "run outrider doctor as the user of the running agent, or as root, to see who",
    );
  }
  return failure(name, seen, `stop it, or choose another port: outrider does not start while it is taken`);
}

/** Ports of the running Envoys that somebody else listens on as well: the kernel splits their connections. */
export function judgeSharedPorts(owners: readonly PortOwner[], agent: PortUsers): Finding {
  const ours = new Set(owners.filter((owner) => isOwn(owner, agent)).map(({ port }) => port));
  const strangers = owners.filter((owner) => ours.has(owner.port) && !isOwn(owner, agent));
  if (strangers.length === 0) {
    return ok(
      "shared-ports",
      ours.size === 0
        ? "no agent runs here"
        : `nobody shares the ports of the running agent (${[...ours].toSorted((a, b) => a - b).join(", ")})`,
    );
  }
  const list = strangers.map((owner) => describePortOwner(owner, "SO_REUSEPORT")).join("; ");
  return failure(
    "shared-ports",
    `the running Envoy shares ports, and their connections are split: ${list}`,
    "stop the other process, or give it ports of its own",
  );
}

function isOwn(owner: PortOwner, agent: PortUsers): boolean {
  return holderOf(owner, friendsOf(agent)) === "own";
}

function friendsOf({ pid, envoys, strays, listeners }: PortUsers): PortFriends {
  return { own: [...(pid === undefined ? [] : [pid]), ...envoys], strays, listeners };
}

/** The known ports first, then what the running Envoys listen on. */
export function lookAtPorts(known: readonly KnownPort[], agent: PortUsers): readonly Finding[] {
  const wanted = known.filter(({ port }) => port !== 0);
  const owners = portOwners(agent.pid === undefined ? wanted.map(({ port }) => port) : listeningPorts());
  return [...judgePorts(wanted, owners, agent), judgeSharedPorts(owners, agent)];
}
