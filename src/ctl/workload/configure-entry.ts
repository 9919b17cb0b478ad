/**
 * The files of a machine, written into a folder.
 */
import { isIP } from "node:net";
import { join } from "node:path";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYaml } from "../../document/yaml.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeFolder } from "../../files/folder.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type MachineChoices, machineFiles } from "./machine-files.ts";
import type { MeshSource } from "./mesh-source.ts";
import { readGroup, type WorkloadGroup } from "./read-group.ts";

/** Write them; every problem with the flags is a line on standard error. */
export async function configureEntry(args: Arguments, context: CommandContext): Promise<number> {
  const problems = [...missingOf(args)];
  const choices = choicesOf(args, problems);
  for (const problem of problems) context.printError(problem);
  if (problems.length > 0) return unusableCode;
  try {
    return await configure(args, choices, context);
  } catch (error) {
    context.printError(errorMessage(error));
    return 1;
  }
}

async function configure(args: Arguments, choices: MachineChoices, context: CommandContext): Promise<number> {
  using stack = new DisposableStack();
  const source = await sourceOf(args, choices.istioNamespace, context, stack);
  const group = await groupOf(args, source);
  if (!("spec" in group)) {
    for (const reason of group) context.printError(reason);
    return 1;
  }
  const { namespace, spec } = group;
  const { serviceAccount = "default" } = spec.template;
  const mesh = meshConfigOf(args.optionalString("meshConfig"), await source.meshConfig());
  const lifetimeMs = args.number("tokenDuration") * 1_000;
  const facts = {
    ...mesh,
    rootPem: await source.root(namespace),
    token: await source.token({ namespace, serviceAccount, lifetimeMs }),
    discoveryPort: source.discoveryPort(),
  };
  const folder = args.string("output");
  makeFolder(folder, 0o700);
  for (const { name, content, mode } of machineFiles(group, facts, choices))
    writeFileAtomic(join(folder, name), content, mode);
  context.printError(
    `${join(folder, "istio-token")} makes whoever has it the service account ${serviceAccount} of ${namespace}, until it ends`,
  );
  if (choices.ingressIp === undefined)
    context.printError(
      `hosts is empty: say by --ingressIP where the machine reaches istiod.${choices.istioNamespace}.svc`,
    );
  context.print(`the files of the machine are in ${folder}`);
  return 0;
}

function missingOf(args: Arguments): readonly string[] {
  const isMissing = (flag: string): boolean => (args.optionalString(flag) ?? "") === "";
  return [
    ...(isMissing("file") && (isMissing("name") || isMissing("namespace"))
      ? ["--file: name a file with the WorkloadGroup, or its --name and --namespace"]
      : []),
    ...(isMissing("output") ? ["--output: name a folder for the files"] : []),
  ];
}

function choicesOf(args: Arguments, problems: string[]): MachineChoices {
  const ip = (flag: string): string | undefined => {
    const value = args.optionalString(flag) || undefined;
    if (value !== undefined && isIP(value) === 0)
      problems.push(`--${flag}: ${JSON.stringify(value)} is no IP address`);
    return value;
  };
  const [ingressIp, internal, external] = [ip("ingressIP"), ip("internalIP"), ip("externalIP")];
  if (internal !== undefined && external !== undefined)
    problems.push("--externalIP: --internalIP is the machine's address too: leave one of both out");
  const address = internal ?? external;
  return {
    autoregister: args.boolean("autoregister"),
    capturesDns: args.boolean("capture-dns"),
    clusterId: args.string("clusterID"),
    istioNamespace: args.string("istioNamespace"),
    ingressIp,
    address: address === undefined ? undefined : { ip: address, isExternal: internal === undefined },
  };
}

async function sourceOf(
  args: Arguments,
  istioNamespace: string,
  context: CommandContext,
  stack: DisposableStack,
): Promise<MeshSource> {
  if (["kubeconfig", "context"].every((flag) => args.optionalString(flag) === undefined)) {
    const { meshHere } = await import("./mesh-here.ts");
    return meshHere(
      { stateDir: args.optionalString("stateDir"), config: args.optionalString("config") },
      context,
    );
  }
  const { meshOfCluster } = await import("./mesh-of-cluster.ts");
  return stack.use(await meshOfCluster(args, istioNamespace, context));
}

async function groupOf(args: Arguments, source: MeshSource): Promise<WorkloadGroup | readonly string[]> {
  const file = args.optionalString("file");
  return file === undefined
    ? source.group(args.string("namespace"), args.string("name"))
    : readGroup(file, readRegularText(file));
}

/** Of a file that is named, else of the mesh. */
function meshConfigOf(
  file: string | undefined,
  ofMesh: string | undefined,
): { readonly defaultConfig: Readonly<Record<string, unknown>>; readonly trustDomain: string } {
  const read = readYaml(file === undefined ? (ofMesh ?? "") : readRegularText(file), configurationLimits);
  if (read.kind === "refused")
    throw new Error(`${file ?? "the mesh's MeshConfig"}: ${read.faults[0]?.message ?? "cannot be read"}`);
  const mesh = isMapping(read.value) ? read.value : {};
  const { defaultConfig, trustDomain } = mesh;
  return {
    defaultConfig: isMapping(defaultConfig) ? defaultConfig : {},
    trustDomain: typeof trustDomain === "string" && trustDomain !== "" ? trustDomain : "cluster.local",
  };
}
