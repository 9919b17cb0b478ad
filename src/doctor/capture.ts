/**
 * Traffic capture: what the kernel's rules do with connections, and where a real one lands.
 */
import type { ProbeOutcome } from "../capture/proof/landing-probe.ts";
import type { HeldTables } from "../capture/trace/held-tables.ts";
import type { RuleTable } from "../capture/trace/rule-table.ts";
import type { Packet } from "../capture/trace/packet.ts";
import { walk } from "../capture/trace/walk.ts";
import { landingWords } from "../capture/trace/words.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** What was seen. */
export interface SeenCapture {
  readonly held: HeldTables;
  /** By which the pod's connections go out and come in. */
  readonly interface: string;
  /** Undefined where no Envoy runs that could take it. */
  readonly probe: SeenProbe | undefined;
}

/** A real connection of this process. */
export interface SeenProbe {
  readonly uid: number;
  readonly to: string;
  /** Where Istio's rules bring it. */
  readonly expected: number;
  readonly outcome: ProbeOutcome;
}

/** Envoy's ports for captured connections. */
export const capturePorts = { outbound: 15_001, inbound: 15_006 } as const;

/** Envoy's user in Istio's images. */
const istioProxyUid = 1_337;

const outgoing = {
  ...{ direction: "out", family: "ipv4", protocol: "tcp", source: "198.51.100.1", destination: "192.0.2.1" },
  ...{ sourcePort: undefined, destinationPort: 80, uid: 65_533, gid: 65_533 },
} as const satisfies Omit<Packet, "interface">;
const packets = {
  outgoing,
  incoming: { ...outgoing, direction: "in", source: "192.0.2.1", destination: "198.51.100.1" },
} as const satisfies Readonly<Record<string, Omit<Packet, "interface">>>;

const apply =
  "run outrider iptables with the flags of the init container: it replaces what is wrong and leaves what is others'";

/** One finding for the rules and one for the connection. */
export function judgeCapture({ probe, ...seen }: SeenCapture): readonly Finding[] {
  return [judgeRules(seen), ...(probe === undefined ? [] : [judgeProbe(probe)])];
}

function judgeRules({ held, interface: through }: Omit<SeenCapture, "probe">): Finding {
  const name = "capture-rules";
  if (held.kind === "unreadable")
    return ok(name, `not to be seen from here, which needs NET_ADMIN: ${held.message}`);
  const tables = held.tables.ipv4;
  const isThere = tables.some(({ chains }) => chains.get("ISTIO_OUTPUT")?.length);
  if (!isThere)
    return warning(
      name,
      "there are none: traffic passes Envoy by",
      `${apply}. Or set ISTIO_META_INTERCEPTION_MODE=NONE where nothing is to be captured`,
    );
  const proxyUid = proxyUidOf(tables);
  const ofProxy = { ...packets.outgoing, uid: proxyUid, gid: proxyUid };
  const [out, proxy, incoming] = [packets.outgoing, ofProxy, packets.incoming].map((packet) =>
    walk(tables, { ...packet, interface: through }),
  ) as [ReturnType<typeof walk>, ReturnType<typeof walk>, ReturnType<typeof walk>];
  if (!out.met.some(({ chain }) => chain === "ISTIO_OUTPUT"))
    return warning(
      name,
      "they are there, but what is sent does not come to them: traffic passes Envoy by",
      apply,
    );
  if (proxy.landing.kind !== "as-sent")
    return failure(
      name,
      `Envoy's own connections are captured: one of user ${proxyUid} ${landingWords(proxy.landing)}, and goes round in circles`,
      apply,
    );
  const unclear = new Set(
    [...out.unclear, ...incoming.unclear].map(({ table, chain, number }) => `${table} ${chain} ${number}`),
  );
  const but = unclear.size === 0 ? "" : `; not understood: ${[...unclear].join(", ")}`;
  return ok(
    name,
    `a call to another pod ${landingWords(out.landing)}; one from outside ${landingWords(incoming.landing)}${but}`,
  );
}

/** The user whose connections the rules leave alone: Istio's, or another that they name (`--proxy-uid`), as on a VM. */
function proxyUidOf(tables: readonly RuleTable[]): number {
  const named = tables
    .flatMap(({ chains }) => chains.get("ISTIO_OUTPUT") ?? [])
    .flatMap(({ matches }) => matches)
    .flatMap((match) => (match.kind === "uid" && match.not !== true ? [match.id] : []));
  return named.includes(istioProxyUid) ? istioProxyUid : (named[0] ?? istioProxyUid);
}

function judgeProbe({ uid, to, expected, outcome }: SeenProbe): Finding {
  const name = "capture-probe";
  const what = `a connection of user ${uid} to ${to}`;
  switch (outcome.kind) {
    case "here":
      return outcome.port === expected
        ? ok(name, `${what} lands on port ${expected}`)
        : warning(name, `${what} lands on port ${outcome.port} instead of ${expected}`, apply);
    case "elsewhere":
      return warning(name, `${what} leaves this pod instead of landing on port ${expected}`, apply);
    case "failed":
      return warning(
        name,
        `${what} does not land on port ${expected}: ${outcome.message}`,
        `${apply}; outrider trace ${to} shows which rule it meets`,
      );
  }
}
