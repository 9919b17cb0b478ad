/** The plan as sentences: what each rule does, and why. */
import {
  type Action,
  type CapturePlan,
  chainsOf,
  type FamilyPlan,
  inPlace,
  isBuiltIn,
  type Match,
  type Route,
  type Rule,
  rulesOf,
} from "../plan/plan.ts";
import { tableNames } from "./iptables.ts";

/** One line for each rule and route, under the chain in which it stands. */
export function explanation(plan: CapturePlan): readonly string[] {
  return plan.flatMap((family) => [
    family.family === "ipv4" ? "IPv4" : "IPv6",
    ...tableNames.flatMap((table) => {
      const rules = rulesOf(family, table);
      const bases = [...new Set(rules.map(({ chain }) => chain))].filter(isBuiltIn);
      return [...bases, ...chainsOf(rules)].flatMap((chain) => chainLines(`${table} ${chain}`, rules, chain));
    }),
    ...routeLines(family),
  ]);
}

/** What a rule does and why, as a sentence. */
function sentence({ matches, action, because }: Rule): string {
  return `${capitalised(whose(matches))} ${actionWords(action)}: ${because}.`;
}

function chainLines(title: string, all: readonly Rule[], chain: string): readonly string[] {
  const rules = inPlace(all.filter((rule) => rule.chain === chain));
  if (rules.length === 0) return [];
  return [`  ${title}`, ...rules.map((rule, index) => `    ${index + 1}. ${sentence(rule)}`)];
}

function routeLines({ routes }: FamilyPlan): readonly string[] {
  return routes.length === 0 ? [] : ["  routes", ...routes.map((route) => `    ${routeSentence(route)}`)];
}

function routeSentence(route: Route): string {
  switch (route.kind) {
    case "address":
      return `The loopback interface has the address ${route.address}: ${route.because}.`;
    case "rule":
      return `Packets with mark ${route.mark} look into routing table ${route.table}: ${route.because}.`;
    case "local-default":
      return `Routing table ${route.table} leads to the loopback interface, ${route.because}.`;
  }
}

/** To which packets a rule applies: "TCP to port 80". */
export function whose(matches: readonly Match[]): string {
  const protocol = matches.find((match) => match.kind === "protocol");
  const noun = protocol === undefined ? "every packet" : protocol.protocol.toUpperCase();
  return [noun, ...matches.filter((match) => match !== protocol).map(matchWords)].join(" ");
}

function matchWords(match: Match): string {
  const not = "not" in match ? "not " : "";
  switch (match.kind) {
    case "protocol":
      return `over ${match.protocol}`;
    case "in-interface":
      return `from interface ${match.name}`;
    case "out-interface":
      return `through interface ${match.name}`;
    case "source":
      return `${not}from ${match.cidr}`;
    case "destination":
      return `${not}to ${match.cidr}`;
    case "source-port":
      return `${not}from port ${match.port}`;
    case "destination-port":
      return `${not}to port ${match.port}`;
    case "other-destination-ports":
      return `to no port of ${match.ports.join(", ")}`;
    case "uid":
      return `${not}of user ${match.id}`;
    case "gid":
      return `${not}of group ${match.id}`;
    case "connection-state":
      return `of state ${match.states.join(" or ")}`;
    case "mark":
      return match.not === true ? `without mark ${match.mark}` : `with mark ${match.mark}`;
    case "connection-mark":
      return `of a connection with mark ${match.mark}`;
  }
}

/** What becomes of them: "goes to port 15001". */
export function actionWords(action: Action): string {
  switch (action.kind) {
    case "jump":
      return `goes through ${action.chain}`;
    case "return":
      return "goes back";
    case "accept":
      return "is accepted";
    case "drop":
      return "is dropped";
    case "redirect":
      return `goes to port ${action.port}`;
    case "tproxy":
      return `goes to port ${action.port} as it is`;
    case "set-mark":
      return `gets mark ${action.mark}`;
    case "save-mark":
      return "gives its mark to its connection";
    case "restore-mark":
      return "gets the mark of its connection";
    case "zone":
      return `is tracked in zone ${action.zone}`;
  }
}

/** With a large first letter. */
export function capitalised(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase());
}
