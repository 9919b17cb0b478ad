/**
 * The agent that a command looks at from beside it: the flags, the environment and the folder that it runs with.
 */
import { readFileSync } from "node:fs";
import { lookForAgent } from "../envoy/inspect/running-agent.ts";
import { findAgentOnPort } from "../status/proxyless-agent.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { parseCommandLine } from "../command/parse.ts";
import { type ProcessUser, userOf } from "../process/user.ts";
import { environmentOf } from "./agent-environment.ts";
import { locate } from "../beside/find-agent.ts";
import { proxyCommand } from "./proxy.ts";
import { programOf } from "./program.ts";

/** Arguments of `proxy`, and whose they are. */
export interface AgentArguments {
  readonly args: Arguments;
  readonly env: CommandContext["env"];
  /** The agent was found by what it says of itself: nothing of the caller's own surroundings is about it. */
  readonly isElsewhere: boolean;
  /** Pid of the agent that runs with them; undefined when they are the caller's own. */
  readonly agentPid: number | undefined;
}

/**
 * The caller's own arguments when there are any, or else those of the agent that is named or that runs here. What a
 * running agent reads by relative paths is read where it reads it: this process goes there.
 *
 * Only an agent of the caller's own user, or root's, is taken at its word: its flags and its environment name programs
 * that are run. Of another's, a line on standard error says so, and the caller's own arguments stand.
 *
 * @returns undefined, and a line on standard error, where it is not clear which agent is meant
 */
export async function agentArguments(
  given: Arguments,
  context: CommandContext,
): Promise<AgentArguments | undefined> {
  const own = { args: given, env: context.env, isElsewhere: false, agentPid: undefined };
  const hasOwn = given.words.length > 0 || Object.keys(proxyCommand.flags).some((name) => given.given(name));
  if ((hasOwn || given.unknown.length > 0) && !given.given("name")) return own;
  const found = locate(given, context);
  if (found === undefined) return undefined;
  const pid = found.pid ?? lookForAgent(found.configPath).pid ?? (await findAgentOnPort(found.statusPort));
  if (pid === undefined) return own;
  const stranger = strangerProblem(pid, userOf(pid), process.geteuid?.() ?? 0);
  if (stranger !== undefined) {
    context.printError(stranger);
    return own;
  }
  const env = environmentOf(pid) ?? context.env;
  const words = commandLine(pid);
  const at = words.indexOf(proxyCommand.name);
  if (at < 0) return own;
  const isElsewhere = found.pid !== undefined;
  if (isElsewhere) enterFolderOf(pid);
  if (hasOwn) return { args: given, env, isElsewhere, agentPid: pid };
  const invocation = await parseCommandLine(words.slice(at), programOf([proxyCommand]));
  return invocation.kind === "run" ? { args: invocation.args, env, isElsewhere, agentPid: pid } : own;
}

/**
 * What to say of an agent that may have been started by somebody who must not choose what this user runs.
 *
 * @param agent undefined where nobody can tell
 * @param caller uid of this process
 */
export function strangerProblem(
  pid: number,
  agent: ProcessUser | undefined,
  caller: number,
): string | undefined {
  if (agent?.uid === caller || agent?.uid === 0) return undefined;
  const whose = agent === undefined ? "of a user that cannot be told" : `user ${agent.uid}'s`;
  const remedy =
    agent === undefined
      ? "as the user who started it"
      : `as that user (setpriv --reuid=${agent.uid} --clear-groups)`;
  return (
    `the agent that answers here, pid ${pid}, is ${whose}, and this is user ${caller}: its flags and environment are ` +
    `not used, as they name programs to run; to look with them, run this ${remedy}`
  );
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

function enterFolderOf(pid: number): void {
  try {
    process.chdir(`/proc/${pid}/cwd`);
  } catch {
    // It has ended meanwhile, or is root's: what is looked at says that it is not there.
  }
}
