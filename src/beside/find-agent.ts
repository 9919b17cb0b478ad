/**
 * Which agent a command is about: the one that is named, the one that the environment leads to, or the only one that has
 * said that it is here.
 */
import type { Arguments, CommandContext } from "../command/command.ts";
import { flagTexts } from "../command/setting-flags.ts";
import { type AgentLocation, locateAgent, saysWhere } from "../config/agent-location.ts";
import { readProxyFlags } from "../config/sources/proxy-flags.ts";
import { readConfigFile } from "../config/sources/read-sources.ts";
import { runtimeFolder } from "../config/runtime-folder.ts";
import { type Announcement, announcedAgents } from "../status/announcement.ts";

/** Where the agent is, or what to do so that it is known. */
export type FoundAgent =
  | ({
      readonly kind: "found";
      /** Left out where only its place is known. */
      readonly pid?: number;
    } & AgentLocation)
  | { readonly kind: "unclear"; readonly problem: string };

/** What decides. */
export interface AgentSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of --meshConfig and the like. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly readFile: typeof readConfigFile;
  /** Value of --name. */
  readonly name: string | undefined;
}

/** A pod's environment says where its agent is; elsewhere the agents themselves do. */
export function findAgent({ env, flags, readFile, name }: AgentSearch): FoundAgent {
  const sources = { env, flags, readFile };
  const located = locateAgent(sources);
  if (name === undefined && saysWhere(sources)) return { kind: "found", ...located };
  return chosen(announced(sources), name, located);
}

/** Those that have said that they are here, by name. */
export function agentsHere(
  args: Arguments,
  { env }: Pick<CommandContext, "env">,
  readFile: typeof readConfigFile = readConfigFile,
): readonly Announcement[] {
  return announced({ env, flags: flagTexts(args, ["meshConfig"]), readFile });
}

function announced(sources: Omit<AgentSearch, "name">): readonly Announcement[] {
  const { runtimeFolder: named } = readProxyFlags(sources, []);
  return announcedAgents(runtimeFolder(named, sources.env, process.getuid?.() ?? 0));
}

/** The agent that a call is about; undefined, and a line on standard error, where that is not clear. */
export function locate(
  args: Arguments,
  { env, printError }: Pick<CommandContext, "env" | "printError">,
  readFile: typeof readConfigFile = readConfigFile,
): Extract<FoundAgent, { kind: "found" }> | undefined {
  const flags = flagTexts(args, ["meshConfig"]);
  const found = findAgent({ env, flags, readFile, name: args.optionalString("name") });
  if (found.kind === "found") return found;
  printError(found.problem);
  return undefined;
}

/** The status port that a call is about; as `locate` otherwise. */
export function statusPortOf(
  args: Arguments,
  context: Pick<CommandContext, "env" | "printError">,
  readFile?: typeof readConfigFile,
): number | undefined {
  return args.optionalNumber("statusPort") ?? locate(args, context, readFile)?.statusPort;
}

/** @param located where an agent is by default */
export function chosen(
  agents: readonly Announcement[],
  name: string | undefined,
  located: AgentLocation,
): FoundAgent {
  const meant = name === undefined ? agents : meantBy(name, agents);
  const [only, ...others] = meant;
  const listed = agents.map((agent) => agent.name).join(", ");
  if (only === undefined) {
    if (name === undefined) return { kind: "found", ...located };
    const known = agents.length === 0 ? "no agent of this user runs here" : `there are ${listed}`;
    return { kind: "unclear", problem: `--name: no agent is called ${name}; ${known}` };
  }
  if (others.length > 0) {
    const problem = `several agents run here: choose with --name one of ${meant.map((agent) => agent.name).join(", ")}`;
    return { kind: "unclear", problem };
  }
  const { pid, configPath, statusPort, adminPort, envoyStatusPort } = only;
  return { kind: "found", pid, configPath, statusPort, adminPort, envoyStatusPort };
}

/** `web-1.demo` by all of it, else by the pod's name, else by how that begins: what is said in full is never unclear. */
function meantBy(name: string, agents: readonly Announcement[]): readonly Announcement[] {
  const ways = [
    (agent: Announcement) => agent.name === name,
    (agent: Announcement) => agent.name.startsWith(`${name}.`),
    (agent: Announcement) => agent.name.startsWith(`${name}-`),
  ];
  return ways.map((isMeant) => agents.filter(isMeant)).find((found) => found.length > 0) ?? [];
}
