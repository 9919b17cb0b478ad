/** Programs that read and change the kernel's rules, run where the traffic is. */
import { runCommand } from "../../process/command.ts";
import { Deadline } from "../../lifecycle/timer.ts";

/** How a program ended and what it said. */
export type ToolResult =
  | { readonly kind: "done"; readonly lines: readonly string[] }
  /** There is no such program. */
  | { readonly kind: "missing" }
  | { readonly kind: "failed"; readonly message: string };

/** Runs a program with an input. Never rejects. */
export type RunTool = (file: string, args: readonly string[], input?: string) => Promise<ToolResult>;

/** Longest run of one program: iptables waits up to half a minute for others that change rules. */
const longestRunMs = 45_000;

/** @param networkNamespace file of the network namespace; undefined is this process's own */
export function toolsIn(networkNamespace: string | undefined): RunTool {
  return async (file, args, input) => {
    using deadline = new Deadline(longestRunMs);
    const inside = networkNamespace === undefined ? [] : [`--net=${networkNamespace}`, "--", file];
    const { exit, output } = await runCommand({
      file: inside.length === 0 ? file : "nsenter",
      args: [...inside, ...args],
      signal: deadline.signal,
      ...(input === undefined ? {} : { input }),
    });
    if (exit.kind === "exited" && exit.code === 0) return { kind: "done", lines: output };
    if (exit.kind === "not-started") return { kind: "missing" };
    const said = output.filter((line) => !line.startsWith("#")).slice(0, 5);
    // nsenter(1) has started, but not what it was to start.
    if (networkNamespace !== undefined && said.some((line) => line.includes(`failed to execute ${file}`)))
      return { kind: "missing" };
    const end = exit.kind === "exited" ? `exit code ${exit.code}` : `signal ${exit.signal}`;
    return { kind: "failed", message: [`${file}: ${end}`, ...said].join("; ") };
  };
}
