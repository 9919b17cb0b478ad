/** Programs that read and change the kernel's rules, run where the traffic is. */
import { spawnChild } from "../../process/child.ts";
import { Timer } from "../../lifecycle/timer.ts";

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
    const inside = networkNamespace === undefined ? [] : [`--net=${networkNamespace}`, "--", file];
    const output: string[] = [];
    const onLine = (line: string): void => {
      output.push(line.trim());
    };
    // execa would be 60 ms of processor time on a pod's way to its start.
    const child = spawnChild({
      file: inside.length === 0 ? file : "nsenter",
      args: [...inside, ...args],
      ...(input === undefined ? {} : { input }),
      stdout: onLine,
      stderr: onLine,
    });
    using _deadline = new Timer(longestRunMs, () => {
      child.killGroup("SIGKILL");
    });
    const exit = await child.exited;
    await child.closed;
    const lines = output.filter((line) => line !== "");
    if (exit.kind === "exited" && exit.code === 0) return { kind: "done", lines };
    if (exit.kind === "not-started") return { kind: "missing" };
    const said = lines.filter((line) => !line.startsWith("#")).slice(0, 5);
    // nsenter(1) has started, but not what it was to start.
    if (networkNamespace !== undefined && said.some((line) => line.includes(`failed to execute ${file}`)))
      return { kind: "missing" };
    const end = exit.kind === "exited" ? `exit code ${exit.code}` : `signal ${exit.signal}`;
    return { kind: "failed", message: [`${file}: ${end}`, ...said].join("; ") };
  };
}
