/**
 * `outriderctl proxy-config`: what one Envoy has, alive or as a file.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { ports } from "../schema/range.ts";
import { askingCodes, telling } from "./failure.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { proxyFlags } from "./proxy/flags.ts";
import type { ConfigDump } from "./proxy/config-dump.ts";
import type { ProxySource } from "./proxy/find.ts";
import { levelProblems } from "./proxy/log-levels.ts";
import type { Filters, View } from "./proxy/views/view.ts";

const kinds = [
  "all",
  "bootstrap",
  "cluster",
  "ecds",
  "endpoint",
  "listener",
  "log",
  "route",
  "secret",
] as const;

type Kind = (typeof kinds)[number];

/** Tables as istioctl's, or Envoy's own messages. */
export const proxyConfigCommand: Command = {
  name: "proxy-config",
  usage: "<kind> [proxy]",
  wordValues: { kind: kinds },
  describe:
    `Show what an Envoy has: ${kinds.join(", ")}; of an agent on this machine by its name, by an admin port, or from a ` +
    "file. Examples: outriderctl proxy-config cluster web-1.demo --fqdn api; outriderctl proxy-config listener --file " +
    "dump.json -o yaml; outriderctl proxy-config log web-1.demo --level http:debug,rbac:info",
  summary: "Clusters, listeners, routes … of one Envoy",
  exitCodes: askingCodes,
  flags: {
    ...outputFlag,
    ...proxyFlags,
    fqdn: { type: "string", describe: "cluster: those whose name has this in it." },
    port: { type: "number", range: ports, describe: "cluster, endpoint, listener: those with this port." },
    subset: { type: "string", describe: "cluster: those of this subset." },
    direction: {
      type: "string",
      values: ["inbound", "outbound"],
      describe: "cluster: those of one direction.",
    },
    address: { type: "string", describe: "endpoint, listener: those with this address." },
    type: {
      type: "string",
      values: ["HTTP", "TCP", "HTTP+TCP", "UNKNOWN"],
      describe: "listener: HTTP, TCP or HTTP+TCP.",
    },
    name: { type: "string", describe: "listener, route, secret: the one of this name." },
    cluster: { type: "string", describe: "endpoint: those of the cluster of this name." },
    status: {
      type: "string",
      values: ["healthy", "unhealthy", "draining", "timeout", "degraded", "unknown"],
      describe: "endpoint: those of this health.",
    },
    level: {
      type: "string",
      describe: "log: the level of all loggers, or of some, as http:debug,rbac:info.",
    },
    reset: { type: "boolean", default: false, describe: "log: all loggers back to warning." },
  },
  run: (args, context) => telling(() => show(args, context), context),
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  if (form === undefined) return unusableCode;
  const [word = "", name] = args.words;
  // istioctl takes the plural and the short form of each.
  const kind = kinds.find((known) => known === word || `${known}s` === word || shortNames[word] === known);
  if (kind === undefined) {
    context.printError(`${word} is not one of ${kinds.join(", ")}`);
    return unusableCode;
  }
  const others = Object.entries(flagsOf).filter(
    ([flag, own]) => args.given(flag) && !(kind === "all" ? own !== logOnly : own.includes(kind)),
  );
  if (others.length > 0) {
    for (const [flag, own] of others)
      context.printError(`--${flag} is for ${own.join(", ")}, not for ${kind}`);
    return unusableCode;
  }
  const problems = [...filterProblems(args), ...levelProblems(args.optionalString("level"))];
  if (problems.length > 0) {
    for (const problem of problems) context.printError(problem);
    return unusableCode;
  }
  const { proxyOf } = await import("./proxy/find.ts");
  using proxy = await proxyOf(args, name, context);
  if (proxy === undefined) return unusableCode;
  if (kind === "log") {
    const { showLog } = await import("./proxy/log.ts");
    return showLog(args, proxy, context);
  }
  const dumped = await proxy.configDump();
  if (kind === "bootstrap") {
    await printValue({ bootstrap: dumped.bootstrap }, form === "text" ? "json" : form, context);
    return 0;
  }
  const filters = filtersOf(args);
  const dump = kind === "endpoint" || kind === "all" ? await withLiveEndpoints(proxy, dumped) : dumped;
  const shown = await viewsOf(kind);
  if (form !== "text") {
    const selected = shown.map(([title, view]) => [
      title,
      view.select(dump, filters).map(({ json }) => json),
    ]);
    const [first] = selected;
    await printValue(kind === "all" ? Object.fromEntries(selected) : first?.[1], form, context);
    return 0;
  }
  const { table } = await import("./table.ts");
  for (const [index, [, view]] of shown.entries()) {
    if (index > 0) context.print("");
    const rows = view.select(dump, filters).flatMap((resource) => view.rows(resource, filters));
    for (const line of table([view.columns, ...rows], view.padding)) context.print(line);
  }
  return 0;
}

/** A value that no resource can have would be shown as an Envoy that has none. */
function filterProblems(args: Arguments): readonly string[] {
  return ["direction", "type", "status"].flatMap((name) => {
    const values = proxyConfigCommand.flags[name]?.values ?? [];
    const given = args.optionalString(name);
    return given === undefined || values.some((value) => value.toLowerCase() === given.toLowerCase())
      ? []
      : [`--${name} must be one of ${values.join(", ")}, not ${given}`];
  });
}

const logOnly: readonly Kind[] = ["log"];

/** The kinds that a flag is for. */
const flagsOf: Readonly<Record<string, readonly Kind[]>> = {
  fqdn: ["cluster"],
  port: ["cluster", "endpoint", "listener"],
  subset: ["cluster"],
  direction: ["cluster"],
  address: ["endpoint", "listener"],
  type: ["listener"],
  name: ["listener", "route", "secret"],
  cluster: ["endpoint"],
  status: ["endpoint"],
  level: logOnly,
  reset: logOnly,
};

const shortNames: Readonly<Record<string, Kind>> = {
  a: "all",
  b: "bootstrap",
  c: "cluster",
  ep: "endpoint",
  l: "listener",
  o: "log",
  r: "route",
  s: "secret",
};

function filtersOf(args: Arguments): Filters {
  const text = (name: string): string | undefined => args.optionalString(name);
  return {
    fqdn: text("fqdn"),
    port: args.optionalNumber("port"),
    subset: text("subset"),
    direction: text("direction")?.toLowerCase(),
    address: text("address"),
    type: text("type"),
    name: text("name"),
    cluster: text("cluster"),
    status: text("status"),
  };
}

async function viewsOf(
  kind: Exclude<Kind, "log" | "bootstrap">,
): Promise<readonly (readonly [title: string, view: View])[]> {
  const [{ clusterView }, { listenerView }, { routeView }, { endpointView }, { secretViewAt }, { ecdsView }] =
    await Promise.all([
      import("./proxy/views/cluster.ts"),
      import("./proxy/views/listener.ts"),
      import("./proxy/views/route.ts"),
      import("./proxy/views/endpoint.ts"),
      import("./proxy/views/secret.ts"),
      import("./proxy/views/ecds.ts"),
    ]);
  const views = {
    cluster: clusterView,
    listener: listenerView,
    route: routeView,
    endpoint: endpointView,
    secret: secretViewAt(new Date()),
    ecds: ecdsView,
  };
  return kind === "all" ? Object.entries(views) : [[kind, views[kind]]];
}

/** A live Envoy knows more of its endpoints than its dump has. */
async function withLiveEndpoints(proxy: ProxySource, dump: ConfigDump): Promise<ConfigDump> {
  if (proxy.admin === undefined) return dump;
  const { clustersAnswer } = await import("./proxy/views/endpoint.ts");
  return {
    ...dump,
    endpoint: clustersAnswer(JSON.parse(await proxy.admin("GET", "/clusters?format=json"))),
  };
}
