/**
 * `outriderctl describe`: which rules hold for a workload or a service, what is in effect, and because of what.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { inNamespace, proxyFlags } from "./proxy/flags.ts";

/** Of what an Envoy has, and what the mesh's YAML says. */
export const describeCommand: Command = {
  name: "describe",
  usage: "<kind> <name>",
  wordValues: { kind: ["pod", "service"] },
  describe:
    "Describe a pod: its identity, the mutual TLS in effect on each of its ports and the policy that says so, what that " +
    "overrides, and its AuthorizationPolicies; or a service: its ports, workloads and the rules for it. " +
    "Examples: outriderctl describe pod api-1.demo; outriderctl describe service api.demo",
  summary: "Which rules hold for a pod or a service, and why",
  exitCodes: [
    { code: 0, meaning: "it was shown" },
    { code: noAnswerCode, meaning: "there is none, or who was asked did not answer" },
  ],
  flags: {
    ...outputFlag,
    ...proxyFlags,
    config: {
      type: "string",
      describe: "Folder of the mesh's YAML (default: that of the control plane that runs here).",
    },
  },
  run: (args, context) => telling(() => show(args, context), context),
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  if (form === undefined) return unusableCode;
  const [word = "", given = ""] = args.words;
  const name = inNamespace(given, args);
  const kind = ({ pod: "pod", po: "pod", service: "service", svc: "service" } as const)[word];
  if (kind === undefined) {
    context.printError(`${word} is neither pod nor service`);
    return unusableCode;
  }
  const { configurationHere } = await import("./describe/configuration.ts");
  if (kind === "service") {
    const objects = await configurationHere(args.optionalString("config"), context);
    if (objects === undefined) return noAnswerCode;
    const { describeService, hostsNamed, serviceHosts, serviceLines } = await import("./describe/service.ts");
    const [host = name, ...others] = hostsNamed(objects, name);
    if (others.length > 0) {
      context.printError(`several services are called ${name}: name one of ${[host, ...others].join(", ")}`);
      return unusableCode;
    }
    const service = describeService(objects, host);
    if (service === undefined) {
      context.printError(
        `no service of the configuration is called ${name}: ${knownWords(serviceHosts(objects))}`,
      );
      return noAnswerCode;
    }
    if (form === "text") for (const line of serviceLines(service)) context.print(line);
    else await printValue(service, form, context);
    return 0;
  }
  const [{ proxyOf }, { describePod, podLines }] = await Promise.all([
    import("./proxy/find.ts"),
    import("./describe/pod.ts"),
  ]);
  using proxy = await proxyOf(args, name, context);
  if (proxy === undefined) return unusableCode;
  const dump = await proxy.configDump();
  // What its Envoy has is worth a look by itself.
  const pod = describePod(
    proxy.name,
    dump,
    (await configurationHere(args.optionalString("config"), context)) ?? [],
  );
  if (form === "text") for (const line of podLines(pod)) context.print(line);
  else await printValue(pod, form, context);
  return 0;
}

/** Names that a message has at most. */
const mostNamed = 8;

function knownWords(hosts: readonly string[]): string {
  if (hosts.length === 0) return "it has none";
  const more = hosts.length > mostNamed ? ` and ${hosts.length - mostNamed} more` : "";
  return `it has ${hosts.slice(0, mostNamed).join(", ")}${more}`;
}
