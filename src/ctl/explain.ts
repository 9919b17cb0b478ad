/**
 * `outriderctl explain`: what becomes of a request, step by step, and which rule decides each.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { textAt } from "../lifecycle/json-path.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { inNamespace, proxyFlags } from "./proxy/flags.ts";
import type { ConfigDump } from "./proxy/config-dump.ts";
import type { Mesh } from "./explain/explain.ts";
import type { ClientTarget } from "./explain/client-listener.ts";
import type { Explanation, Request } from "./explain/request.ts";

/** Walks a request and prints the way. */
export const explainCommand: Command = {
  name: "explain",
  usage: "<from> <to>",
  describe:
    "Follow a request of a workload through its Envoy's listener, route, cluster and endpoint and the filter chain and " +
    "policies of the server's Envoy, by what both have now, and say which rule decides each step and what the caller " +
    "gets. FROM is an agent of this machine, TO a host with port and path. Examples: outriderctl explain web-1.demo " +
    "http://api.demo/items; outriderctl explain web-1 api.demo:80 --method POST --header end-user=jason; outriderctl " +
    "explain web-1.demo api.demo:80 --file web.json --server-file api.json; outriderctl explain web.demo " +
    "api.demo:80/items --offline --config mesh",
  summary: "What becomes of a request, and by which rule",
  exitCodes: [
    { code: 0, meaning: "it reaches an application, or is answered below 400" },
    { code: 2, meaning: "some or all of such requests are refused or fail" },
    {
      code: noAnswerCode,
      meaning: "who was asked did not answer; the message says who, and how to reach it",
    },
  ],
  flags: {
    method: { type: "string", default: "GET", describe: "Method of the request." },
    path: { type: "string", describe: "Its path, with the query (default: that of TO)." },
    header: { type: "string", array: true, describe: "A header, NAME=VALUE; several times for several." },
    ...outputFlag,
    ...proxyFlags,
    "server-file": {
      type: "string",
      array: true,
      describe: "config_dump of an Envoy that may serve, instead of those of this machine.",
    },
    config: {
      type: "string",
      describe:
        "Folder of the mesh's YAML, to say file and line of each rule (default: that of the control plane here).",
    },
    offline: {
      type: "boolean",
      default: false,
      describe:
        "By what the folder of --config would make of it, without any Envoy; FROM is WORKLOAD.NAMESPACE.",
    },
    "trust-domain": {
      type: "string",
      default: "cluster.local",
      describe: "The mesh's SPIFFE trust domain, for --offline.",
    },
  },
  mainFlags: ["path", "method", "header", "output"],
  run: (args, context) => telling(() => show(args, context), context),
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  const [given = "", to = ""] = args.words;
  const from = inNamespace(given, args);
  const asked = requestOf(to, args);
  if (typeof asked === "string") context.printError(asked);
  if (form === undefined || typeof asked === "string") return unusableCode;
  const mesh = args.boolean("offline")
    ? await offlineMeshOf(from, args, context)
    : await meshOf(from, args, context);
  if (mesh === undefined) return unusableCode;
  const { explain } = await import("./explain/explain.ts");
  const explanation = explain(mesh, asked.target, asked.request);
  if (form !== "text") await printValue(explanation, form, context);
  else {
    const { explanationLines } = await import("./explain/lines.ts");
    const { method, authority, path } = asked.request;
    context.print(`${method} ${authority}${path} from ${from}`);
    const placeOf = await placesOf(args, context);
    for (const line of explanationLines(explanation, placeOf)) context.print(line);
  }
  return isWell(explanation) ? 0 : 2;
}

function isWell({ outcomes }: Explanation): boolean {
  return outcomes.every(({ status = 200 }) => status < 400);
}

/** What is asked, or what is wrong with it. */
function requestOf(
  to: string,
  args: Arguments,
): { readonly target: ClientTarget; readonly request: Request } | string {
  if (/^https:/i.test(to))
    return (
      "https: the TLS of an application passes its Envoy unread, so that none of its rules for requests is asked: name " +
      "http://, which Envoys make mutual TLS of"
    );
  const whole = /^http:\/\//i.test(to) ? to : `http://${to}`;
  let url: URL;
  try {
    url = new URL(whole);
  } catch {
    return `${JSON.stringify(to)} is no host with port and path, such as http://api.demo:80/items`;
  }
  const headers = args.strings("header").map((text) => /^([^=:]+)[=:]\s*(.*)$/s.exec(text));
  const wrong = headers.findIndex((match) => match === null);
  if (wrong >= 0) return `--header: ${args.strings("header")[wrong] ?? ""} is not NAME=VALUE`;
  const given = Object.fromEntries(
    headers.map((match) => [(match?.[1] ?? "").toLowerCase(), match?.[2] ?? ""]),
  );
  const { host: named, ...others } = given;
  // As it was written: what becomes of dots and of escaped characters is the server's Envoy's to say.
  const [, written = ""] = /^http:\/\/[^/?#]*([^#]*)/i.exec(whole) ?? [];
  const path = args.optionalString("path") ?? written;
  return {
    target: { host: url.hostname, port: Number(url.port || 80) },
    request: {
      ...{ method: args.string("method"), authority: named ?? url.host, scheme: "http" },
      path: path.startsWith("/") ? path : `/${path}`,
      headers: others,
    },
  };
}

async function meshOf(from: string, args: Arguments, context: CommandContext): Promise<Mesh | undefined> {
  const [{ fileSource, liveSources, proxyOf, ProxyError }, { identityOf }] = await Promise.all([
    import("./proxy/find.ts"),
    import("./explain/identity.ts"),
  ]);
  using client = await proxyOf(args, from, context);
  if (client === undefined) return undefined;
  const dump = await client.configDump();
  const files = args.strings("server-file");
  const sources =
    files.length > 0 ? files.map((file) => fileSource(file, context.shutdown)) : liveSources(context);
  const servers = await Promise.all(
    sources.map(async (source) => {
      try {
        const found = await source.configDump();
        return {
          ...{ name: source.name, dump: found, identity: identityOf(found) },
          addresses: addressesOf(found),
        };
      } catch (error) {
        if (!(error instanceof ProxyError) || files.length > 0) throw error;
        context.printError(`what it would do is not known: ${error.message}`);
        return undefined;
      }
    }),
  );
  return {
    client: dump,
    clientIdentity: identityOf(dump),
    clientAddress: addressesOf(dump)[0] ?? "127.0.0.1",
    servers: servers.filter((server) => server !== undefined),
  };
}

/** What the translation makes of the folder; what is wrong with that is for `analyze`. */
async function offlineMeshOf(
  from: string,
  args: Arguments,
  context: CommandContext,
): Promise<Mesh | undefined> {
  const folder = args.optionalString("config");
  const given = [
    ...["file", "admin-address"].filter((flag) => args.optionalString(flag) !== undefined),
    ...(args.strings("server-file").length > 0 ? ["server-file"] : []),
  ];
  for (const flag of given)
    context.printError(`--${flag}: --offline asks no Envoy, and no dump of one: leave one of both out`);
  if (folder === undefined) context.printError("--offline: name the folder of the mesh's YAML with --config");
  if (folder === undefined || given.length > 0) return undefined;
  const [{ readInputs }, { meshFromObjects }] = await Promise.all([
    import("./analyze/read-inputs.ts"),
    import("./explain/from-objects.ts"),
  ]);
  const { objects, problems, unreadable } = await readInputs([folder], context.shutdown);
  for (const line of unreadable) context.printError(line);
  const errors = problems.filter(({ severity }) => severity === undefined).length;
  if (errors > 0)
    context.printError(`${errors} errors are left out: outriderctl analyze ${folder} tells them`);
  return meshFromObjects(objects, from, args.string("trust-domain"));
}

/** Of the node ID, `sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local`, and of Istio's INSTANCE_IPS. */
function addressesOf({ bootstrap }: ConfigDump): readonly string[] {
  const first = textAt(bootstrap, "node", "id")?.split("~")[1];
  const all = textAt(bootstrap, "node", "metadata", "INSTANCE_IPS")?.split(",") ?? [];
  return [...new Set([...(first === undefined ? [] : [first]), ...all])];
}

/** Where objects are, by the folder of --config, or of the control plane that runs on this machine. */
async function placesOf(
  args: Arguments,
  context: CommandContext,
): Promise<(rule: string) => string | undefined> {
  const [{ configurationHere }, { objectId }] = await Promise.all([
    import("./describe/configuration.ts"),
    import("../controlplane/config/objects.ts"),
  ]);
  const objects = await configurationHere(args.optionalString("config"), {
    ...context,
    // The way is told all the same.
    printError: () => undefined,
  });
  const places = new Map(
    (objects ?? []).map((object) => [objectId(object), `${object.source}:${object.line}`]),
  );
  return (rule) => places.get(rule);
}
