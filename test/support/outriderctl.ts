/** outriderctl in this process: its command line as it is read, and what it prints. */
import { join } from "node:path";
import { commands } from "../../src/ctl/commands.ts";
import { fromIstioctl } from "../../src/ctl/istioctl-words.ts";
import { outriderctl } from "../../src/ctl/program.ts";
import type { CommandContext } from "../../src/command/command.ts";
import { readCommandLine } from "../../src/command/command-line.ts";
import { variableOf } from "../../src/schema/own-variables.ts";
import { agentsFolder } from "./outrider.ts";

export interface CtlRun {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
}

/** Run a command to its end. It finds agents and control planes of this test only. */
export function runCtl(...words: readonly string[]): Promise<CtlRun> {
  return runCtlOf(outriderctl.version, words);
}

/** The same of another release. @param onLine told of each line as it is printed */
export async function runCtlOf(
  version: string,
  words: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<CtlRun> {
  const program = { ...outriderctl, version };
  const lines: string[] = [];
  const errors: string[] = [];
  const into = (list: string[]) => (text: string) => {
    list.push(...text.split("\n"));
    onLine(text);
  };
  const context = {
    program,
    env: { [variableOf("runtimeFolder")]: agentsFolder },
    pid: process.pid,
    terminal: undefined,
    templates: "/nowhere",
    manifests: join(import.meta.dirname, "../../docker/kubernetes"),
    print: into(lines),
    printError: into(errors),
    shutdown: new AbortController().signal,
    hurry: new AbortController().signal,
  } satisfies Partial<CommandContext>;
  const invocation = await readCommandLine(fromIstioctl(words), { ...program, commands });
  if (invocation.kind === "print")
    return { code: invocation.code, lines: [], errors: invocation.text.split("\n") };
  const code = await invocation.command.run(invocation.args, context as unknown as CommandContext);
  return { code, lines, errors };
}
