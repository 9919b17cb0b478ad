/**
 * Rules as iptables reads them (iptables(8), iptables-extensions(8)), words in the order in which Istio writes them.
 */
import type { Family } from "../options/address.ts";
import {
  type Action,
  type CapturePlan,
  chainsOf,
  type FamilyPlan,
  type Match,
  type Route,
  type Rule,
  rulesOf,
  type TableName,
} from "../plan/plan.ts";

/** In the order in which a text has them. */
export const tableNames: readonly TableName[] = ["mangle", "nat", "raw"];

/** What a rule says, without its chain: `-p tcp --dport 15008 -j RETURN`. */
export function ruleSpecification({ matches, action }: Rule): string {
  return [...matches.map(matchText), actionText(action)].join(" ");
}

/** A rule as a line of iptables-restore's input. */
function ruleLine(rule: Rule): string {
  const command = rule.at === undefined ? `-A ${rule.chain}` : `-I ${rule.chain} ${rule.at}`;
  return `${command} ${ruleSpecification(rule)}`;
}

/** Input of `iptables-restore --noflush` or `ip6tables-restore --noflush`. */
export function restoreInput(plan: FamilyPlan): string {
  const lines = tableNames.flatMap((table) => {
    const rules = rulesOf(plan, table);
    if (rules.length === 0) return [];
    return [`* ${table}`, ...chainsOf(rules).map((chain) => `-N ${chain}`), ...rules.map(ruleLine), "COMMIT"];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** The input for each family, and the routes, each under a line that says what it is for. */
export function iptablesText(plan: CapturePlan): string {
  return plan
    .map((family) => {
      const restore = family.family === "ipv4" ? "iptables-restore" : "ip6tables-restore";
      const routes = family.routes.map(
        (route) => `# ${["ip", ...routeWords(family.family, route)].join(" ")}\n`,
      );
      return `# ${restore} --noflush\n${restoreInput(family)}${routes.join("")}`;
    })
    .join("");
}

/** Words after `ip` that add a route. */
export function routeWords(family: Family, route: Route): readonly string[] {
  const ip = family === "ipv6" ? ["-6"] : [];
  switch (route.kind) {
    case "address":
      return [...ip, "addr", "add", route.address, "dev", "lo"];
    case "rule":
      return [...ip, "rule", "add", "fwmark", String(route.mark), "lookup", String(route.table)];
    case "local-default":
      return [...ip, "route", "add", "local", "default", "dev", "lo", "table", String(route.table)];
  }
}

function matchText(match: Match): string {
  const not = "not" in match ? "! " : "";
  switch (match.kind) {
    case "protocol":
      return `-p ${match.protocol}`;
    case "in-interface":
      return `-i ${match.name}`;
    case "out-interface":
      return `-o ${match.name}`;
    case "source":
      return `${not}-s ${match.cidr}`;
    case "destination":
      return `${not}-d ${match.cidr}`;
    case "source-port":
      return `${not}--sport ${match.port}`;
    case "destination-port":
      return `${not}--dport ${match.port}`;
    case "other-destination-ports":
      return `-m multiport ! --dports ${match.ports.join(",")}`;
    case "uid":
    case "gid":
      return `-m owner ${not}--${match.kind}-owner ${match.id}`;
    case "connection-state":
      return `-m conntrack --ctstate ${match.states.join(",")}`;
    case "mark":
      return `-m mark ${not}--mark ${match.mark}`;
    case "connection-mark":
      return `-m connmark --mark ${match.mark}`;
  }
}

function actionText(action: Action): string {
  switch (action.kind) {
    case "jump":
      return `-j ${action.chain}`;
    case "return":
    case "accept":
    case "drop":
      return `-j ${action.kind.toUpperCase()}`;
    case "redirect":
      // Istio writes the option in full for TCP and shortened for UDP.
      return `-j REDIRECT --to-port${action.protocol === "tcp" ? "s" : ""} ${action.port}`;
    case "tproxy":
      return `-j TPROXY --tproxy-mark ${action.mark}/0xffffffff --on-port ${action.port}`;
    case "set-mark":
      return `-j MARK --set-mark ${action.mark}`;
    case "save-mark":
    case "restore-mark":
      return `-j CONNMARK --${action.kind}`;
    case "zone":
      return `-j CT --zone ${action.zone}`;
  }
}
