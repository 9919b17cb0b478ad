/** Rules as iptables-save(8) writes them, back to what they say. */
import { parseCidr } from "../options/address.ts";
import type { Action, Match } from "../plan/plan.ts";
import { optionsOf, type RuleOption } from "../apply/normal-rule.ts";
import type { Foreign, TracedRule } from "./rule-table.ts";

/** @param specification without `-A` and the chain */
export function parseIptablesRule(specification: string): TracedRule {
  const all = optionsOf(specification);
  const targetAt = all.findIndex(({ name }) => name === "-j" || name === "-g");
  const target = all[targetAt];
  const matches = all.slice(0, targetAt < 0 ? undefined : targetAt);
  const isOfConnection = matches.some(({ name, values }) => name === "-m" && values[0] === "connmark");
  return {
    matches: matches.flatMap((option) => parseMatch(option, isOfConnection)),
    action: target === undefined ? undefined : parseAction(target, all.slice(targetAt + 1)),
  };
}

function parseMatch(option: RuleOption, isOfConnection: boolean): readonly (Match | Foreign)[] {
  const { name, isNegated, values } = option;
  const [value = ""] = values;
  const not = isNegated ? { not: true as const } : {};
  const foreign: Foreign = { kind: "foreign", text: textOf(option) };
  const number = numberOf(value);
  const cidr = parseCidr(value)?.text;
  const one = (match: Match | undefined): readonly (Match | Foreign)[] => [match ?? foreign];
  switch (name) {
    case "-m":
      return [];
    case "-p":
      return one(
        !isNegated && (value === "tcp" || value === "udp")
          ? { kind: "protocol", protocol: value }
          : undefined,
      );
    case "-i":
    case "-o":
      return one(
        isNegated ? undefined : { kind: name === "-i" ? "in-interface" : "out-interface", name: value },
      );
    case "-s":
    case "-d":
      return one(
        cidr === undefined ? undefined : { kind: name === "-s" ? "source" : "destination", cidr, ...not },
      );
    case "--sport":
    case "--dport":
      return one(
        number === undefined
          ? undefined
          : { kind: name === "--sport" ? "source-port" : "destination-port", port: number, ...not },
      );
    case "--dports":
      return one(
        isNegated && /^\d+(?:,\d+)*$/.test(value)
          ? { kind: "other-destination-ports", ports: value.split(",").map(Number) }
          : undefined,
      );
    case "--uid-owner":
    case "--gid-owner":
      return one(
        number === undefined
          ? undefined
          : { kind: name === "--uid-owner" ? "uid" : "gid", id: number, ...not },
      );
    case "--ctstate":
      return one(isNegated ? undefined : parseStates(value));
    case "--mark":
      if (number === undefined) return [foreign];
      if (!isOfConnection) return one({ kind: "mark", mark: number, ...not });
      return one(isNegated ? undefined : { kind: "connection-mark", mark: number });
    default:
      return [foreign];
  }
}

const states = ["INVALID", "RELATED", "ESTABLISHED"] as const;

function parseStates(text: string): Match | undefined {
  const found = text.split(",").map((name) => states.find((state) => state === name));
  return found.includes(undefined)
    ? undefined
    : { kind: "connection-state", states: found.filter((state) => state !== undefined) };
}

function parseAction(target: RuleOption, options: readonly RuleOption[]): Action | Foreign {
  const [name = ""] = target.values;
  const foreign: Foreign = { kind: "foreign", text: [target, ...options].map(textOf).join(" ") };
  const number = (option: string): number | undefined =>
    numberOf(options.find((candidate) => candidate.name === option)?.values[0]);
  const has = (option: string): boolean => options.some((candidate) => candidate.name === option);
  const [port, onPort] = [number("--to-ports") ?? number("--to-port"), number("--on-port")];
  const [mark, tproxyMark] = [number("--set-xmark") ?? number("--set-mark"), number("--tproxy-mark")];
  switch (name) {
    case "RETURN":
    case "ACCEPT":
    case "DROP":
      return { kind: ({ RETURN: "return", ACCEPT: "accept", DROP: "drop" } as const)[name] };
    case "REDIRECT":
      return port === undefined ? foreign : { kind: "redirect", port, protocol: "tcp" };
    case "TPROXY":
      return onPort === undefined ? foreign : { kind: "tproxy", port: onPort, mark: tproxyMark ?? 0 };
    case "MARK":
      return mark === undefined ? foreign : { kind: "set-mark", mark };
    case "CONNMARK":
      return has("--save-mark")
        ? { kind: "save-mark" }
        : has("--restore-mark")
          ? { kind: "restore-mark" }
          : foreign;
    case "CT":
      return { kind: "zone", zone: number("--zone") ?? 0 };
    default:
      // The names of targets are in capitals only, as ours of chains are.
      return options.length > 0 || target.name === "-g" ? foreign : { kind: "jump", chain: name };
  }
}

function textOf({ name, isNegated, values }: RuleOption): string {
  return [...(isNegated ? ["!"] : []), name, ...values].join(" ");
}

/** A number with every bit in its mask. */
function numberOf(text = ""): number | undefined {
  const [, digits] = /^(0x[\da-f]+|\d+)(?:\/0xffffffff)?$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
