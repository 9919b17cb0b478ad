/** One connection: by rules, and really made. */
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { toolsIn } from "../../capture/apply/tool.ts";
import type { Family } from "../../capture/options/address.ts";
import { givenSettings } from "../../capture/options/given.ts";
import { readCaptureOptions } from "../../capture/options/read-options.ts";
import { captureSettings } from "../../capture/options/settings.ts";
import { readPlace } from "../../capture/place.ts";
import { planCapture } from "../../capture/plan/plan-capture.ts";
import { type ProbeOutcome, probeLanding } from "../../capture/proof/landing-probe.ts";
import { readHeldTables } from "../../capture/trace/held-tables.ts";
import type { Packet } from "../../capture/trace/packet.ts";
import { plannedTables, type RuleTable } from "../../capture/trace/rule-table.ts";
import { type Landing, walk } from "../../capture/trace/walk.ts";
import { landingWords, packetWords, traceLines } from "../../capture/trace/words.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type HostPort, parseHostPort } from "../../net/host-port.ts";
import { portOwners } from "../../net/port-owner.ts";
import { interfaceOf, wayTo } from "../../net/way-to.ts";
import { describeProblem } from "../../schema/config-problem.ts";
import { flagTexts } from "./call.ts";

/** How long the real connection may take, in milliseconds. */
const probeMs = 3_000;

/** Exit codes. */
const codes = { agrees: 0, differs: 1, unusable: unusableCode } as const;

type Context = Pick<CommandContext, "env" | "print" | "printError">;

/** Resolves to the exit code. */
export async function traceConnection(args: Arguments, context: Context): Promise<number> {
  const target = parseHostPort(args.words[0] ?? "");
  const from = args.optionalString("from");
  if (target === undefined || args.words.length > 1 || (from !== undefined && isIP(from) === 0)) {
    context.printError("trace takes one HOST:PORT, and an address as --from");
    return codes.unusable;
  }
  let packet: Packet | string;
  try {
    packet = await packetFor(await resolved(target), from, args);
  } catch (error) {
    packet = `${target.host} has no address: ${errorMessage(error)}`;
  }
  if (typeof packet === "string") {
    context.printError(packet);
    return codes.differs;
  }
  const rules = args.boolean("planned")
    ? plannedFor(args, context.env, packet.family)
    : await heldFor(packet.family);
  context.print(packetWords(packet));
  const trace = rules.kind === "read" ? walk(rules.tables, packet) : undefined;
  if (rules.kind === "unusable") {
    for (const problem of rules.problems) context.printError(problem);
    return codes.unusable;
  }
  if (trace !== undefined) {
    for (const line of traceLines(trace)) context.print(`  ${line}`);
    const by = args.boolean("planned") ? "plan" : "kernel's rules";
    context.print(`By the ${by} it ${landingWords(trace.landing)}.`);
  } else if (rules.kind === "unreadable") {
    context.printError(`The kernel's rules cannot be read: ${rules.message}`);
    context.printError("Run this with NET_ADMIN, or with --planned and the flags of outrider iptables.");
  }
  const isMine = packet.uid === process.geteuid?.() && packet.gid === process.getegid?.();
  if (!args.boolean("probe") || !isMine) return trace === undefined ? codes.differs : codes.agrees;
  const outcome = await probeLanding(packet.destination, packet.destinationPort, probeMs);
  const agrees = trace !== undefined && isAsTraced(outcome, trace.landing, packet);
  const but = agrees || trace === undefined ? "" : ", which is not what these rules do";
  context.print(`A real connection ${outcomeWords(outcome)}${but}.`);
  return agrees ? codes.agrees : codes.differs;
}

async function resolved({ host, port }: HostPort): Promise<HostPort> {
  return isIP(host) === 0 ? { host: (await lookup(host)).address, port } : { host, port };
}

/** A text says why there is no such packet. */
async function packetFor(
  { host, port }: HostPort,
  from: string | undefined,
  args: Arguments,
): Promise<Packet | string> {
  const family: Family = isIPv6(host) ? "ipv6" : "ipv4";
  const common = {
    family,
    protocol: "tcp",
    destination: host,
    destinationPort: port,
    sourcePort: undefined,
  } as const;
  if (from !== undefined) {
    if (isIPv6(from) !== isIPv6(host)) return `${from} and ${host} are of different families`;
    const through = interfaceOf(host);
    if (through === undefined) return `${host} is no address of this pod`;
    return { ...common, direction: "in", source: from, interface: through, uid: undefined, gid: undefined };
  }
  const way = await wayTo(host, port);
  if (way === undefined) return `there is no route to ${host}: rules of capture are not even asked`;
  const uid = args.optionalNumber("uid") ?? process.geteuid?.();
  const gid = args.optionalNumber("gid") ?? process.getegid?.();
  return { ...common, direction: "out", source: way.source, interface: way.interface, uid, gid };
}

/** Rules, or why there are none. */
type Rules =
  | { readonly kind: "read"; readonly tables: readonly RuleTable[] }
  | { readonly kind: "unreadable"; readonly message: string }
  | { readonly kind: "unusable"; readonly problems: readonly string[] };

function plannedFor(args: Arguments, env: Context["env"], family: Family): Rules {
  const given = givenSettings(captureSettings, { flag: flagTexts(args, [captureSettings]), env });
  const read = readCaptureOptions(given, readPlace(given.proxyUser.text));
  if (read.kind === "invalid") return { kind: "unusable", problems: read.problems.map(describeProblem) };
  const plan = planCapture(read.options).find((candidate) => candidate.family === family);
  return { kind: "read", tables: plan === undefined ? [] : plannedTables(plan) };
}

async function heldFor(family: Family): Promise<Rules> {
  const held = await readHeldTables(toolsIn(undefined));
  return held.kind === "read" ? { kind: "read", tables: held.tables[family] } : held;
}

/** True when a real connection has ended where rules send it. */
function isAsTraced(
  outcome: ProbeOutcome,
  landing: Landing,
  { destinationPort, interface: way }: Packet,
): boolean {
  switch (landing.kind) {
    case "redirected":
    case "transparent":
      return outcome.kind === "here" && (landing.kind === "transparent" || outcome.port === landing.port);
    case "as-sent":
      return way === "lo"
        ? outcome.kind !== "here" || outcome.port === destinationPort
        : outcome.kind !== "here";
    case "dropped":
      return outcome.kind === "failed";
  }
}

function outcomeWords(outcome: ProbeOutcome): string {
  switch (outcome.kind) {
    case "here": {
      const [owner] = portOwners([outcome.port]);
      const who = owner?.pid === undefined ? "" : `, with pid ${owner.pid} (${owner.command.slice(0, 120)})`;
      return `has landed on port ${outcome.port} of this pod${who}`;
    }
    case "elsewhere":
      return "has left this pod and was taken";
    case "failed":
      return `was not taken: ${outcome.message}`;
  }
}
