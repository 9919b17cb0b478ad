/**
 * The flags that the agent of this pod runs with, for commands that look at it from beside it: their environment is
 * the agent's, their command line is not.
 */
import { readFileSync } from "node:fs";
import { locateAgent } from "../config/agent-location.ts";
import { readConfigFile } from "../config/sources/read-sources.ts";
import { lookForAgent } from "../envoy/inspect/running-agent.ts";
import { findProxylessAgent } from "../status/proxyless-agent.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { parseCommandLine } from "../command/parse.ts";
import { proxyCommand } from "./proxy.ts";
import { programOf } from "./program.ts";

/** Arguments of `proxy`, and whose they are. */
export interface AgentArguments {
  readonly args: Arguments;
  /** Pid of the agent that runs with them; undefined when they are the caller's own. */
  readonly agentPid: number | undefined;
}

/** The caller's own arguments when there are any, or else those of the running agent, if one runs here. */
export async function agentArguments(given: Arguments, context: CommandContext): Promise<AgentArguments> {
  const own = { args: given, agentPid: undefined };
  const hasOwn = given.words.length > 0 || Object.keys(proxyCommand.flags).some((name) => given.given(name));
  if (hasOwn || given.unknown.length > 0) return own;
  const { configPath, statusPort } = locateAgent({ env: context.env, flags: {}, readFile: readConfigFile });
  const pid = lookForAgent(configPath).pid ?? (await findProxylessAgent(statusPort));
  if (pid === undefined) return own;
  const words = commandLine(pid);
  const at = words.indexOf(proxyCommand.name);
  if (at < 0) return own;
  const invocation = await parseCommandLine(words.slice(at), programOf([proxyCommand]));
  return invocation.kind === "run" ? { args: invocation.args, agentPid: pid } : own;
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
