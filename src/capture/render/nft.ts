/**
 * The plan as one nft script (nft(8)): tables of our own, replaced whole in one transaction, both families included.
 */
import type { Family } from "../options/address.ts";
import {
  type Action,
  builtIn,
  type CapturePlan,
  chainsOf,
  inPlace,
  isBuiltIn,
  type Match,
  type Rule,
  rulesOf,
  type TableName,
} from "../plan/plan.ts";
import { tableNames } from "./iptables.ts";

type NftFamily = "ip" | "ip6";

const families: Readonly<Record<Family, NftFamily>> = { ipv4: "ip", ipv6: "ip6" };

/** Where the kernel's chains of the same name hook in, so that both back ends decide at the same moment. */
const hooks: Readonly<Record<TableName, Readonly<Record<string, string>>>> = {
  raw: {
    [builtIn.prerouting]: "type filter hook prerouting priority -300",
    [builtIn.output]: "type filter hook output priority -300",
  },
  mangle: {
    [builtIn.prerouting]: "type filter hook prerouting priority -150",
    // A mark that is set here decides on the route.
    [builtIn.output]: "type route hook output priority -150",
  },
  nat: {
    [builtIn.prerouting]: "type nat hook prerouting priority -100",
    [builtIn.output]: "type nat hook output priority -100",
  },
};

/** Name of the table that stands for one of the kernel's. */
export function nftTable(table: TableName): string {
  return `istio-proxy-${table}`;
}

/** Every table that a script of ours may have made: `ip istio-proxy-nat`. */
export const nftTables: readonly string[] = Object.values(families).flatMap((family) =>
  tableNames.map((table) => `${family} ${nftTable(table)}`),
);

/** Takes out every table of ours, whether it is there or not, and puts in those of the plan. */
export function nftScript(plan: CapturePlan): string {
  return [
    ...removals,
    ...plan.flatMap(({ family, rules }) => tableNames.flatMap((name) => table(family, name, rules))),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Takes out every table of ours. */
export function nftRemoval(): string {
  return removals.map((line) => `${line}\n`).join("");
}

// To delete what is not there is an error, to add what is there is none.
const removals = nftTables.flatMap((name) => [`add table ${name}`, `delete table ${name}`]);

function table(family: Family, name: TableName, all: readonly Rule[]): readonly string[] {
  const rules = rulesOf({ rules: all }, name);
  if (rules.length === 0) return [];
  const bases = [builtIn.prerouting, builtIn.output].filter((base) =>
    rules.some(({ chain }) => chain === base),
  );
  const chain = (chainName: string): readonly string[] => {
    const hook = isBuiltIn(chainName) ? [`    ${hooks[name][chainName]}; policy accept;`] : [];
    const own = inPlace(rules.filter((rule) => rule.chain === chainName));
    const lines = own.flatMap((rule) => ruleLines(families[family], rule)).map((line) => `    ${line}`);
    return [`  chain ${chainName} {`, ...hook, ...lines, "  }"];
  };
  return [
    `table ${families[family]} ${nftTable(name)} {`,
    ...[...chainsOf(rules), ...bases].flatMap(chain),
    "}",
  ];
}

function ruleLines(family: NftFamily, { matches, action }: Rule): readonly string[] {
  const words = matches.map((match) => matchText(family, match, matches));
  const rule = (...does: readonly string[]): string => [...words, ...does].join(" ");
  // Where nobody listens, iptables' target drops; nft's statement would let the packet go on.
  return action.kind === "tproxy"
    ? [rule(`tproxy to :${action.port} meta mark set ${action.mark} accept`), rule("drop")]
    : [rule(actionText(action))];
}

function matchText(family: NftFamily, match: Match, all: readonly Match[]): string {
  const equals = "not" in match ? "!= " : "";
  const transport = all.find((other) => other.kind === "protocol")?.protocol ?? "tcp";
  switch (match.kind) {
    case "protocol":
      return `meta l4proto ${match.protocol}`;
    case "in-interface":
      return `iifname "${interfacePattern(match.name)}"`;
    case "out-interface":
      return `oifname "${interfacePattern(match.name)}"`;
    case "source":
      return `${family} saddr ${equals}${match.cidr}`;
    case "destination":
      return `${family} daddr ${equals}${match.cidr}`;
    case "source-port":
      return `${transport} sport ${equals}${match.port}`;
    case "destination-port":
      return `${transport} dport ${equals}${match.port}`;
    case "other-destination-ports":
      return `${transport} dport != { ${match.ports.join(", ")} }`;
    case "uid":
      return `meta skuid ${equals}${match.id}`;
    case "gid":
      return `meta skgid ${equals}${match.id}`;
    case "connection-state":
      return `ct state ${match.states.map((state) => state.toLowerCase()).join(",")}`;
    case "mark":
      return `meta mark ${equals}${match.mark}`;
    case "connection-mark":
      return `ct mark ${match.mark}`;
  }
}

/** iptables' `+` is nft's `*`. */
function interfacePattern(name: string): string {
  return name.replace(/\+$/, "*");
}

function actionText(action: Exclude<Action, { readonly kind: "tproxy" }>): string {
  switch (action.kind) {
    case "jump":
      return `jump ${action.chain}`;
    case "return":
    case "accept":
    case "drop":
      return action.kind;
    case "redirect":
      return `redirect to :${action.port}`;
    case "set-mark":
      return `meta mark set ${action.mark}`;
    case "save-mark":
      return "ct mark set meta mark";
    case "restore-mark":
      return "meta mark set ct mark";
    case "zone":
      return `ct zone set ${action.zone}`;
  }
}
