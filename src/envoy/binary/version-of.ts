/**
 * Which version an Envoy says that it is.
 */
import { Deadline } from "../../lifecycle/timer.ts";
import { runCommand } from "../../process/command.ts";

/** Longest wait for `--version`, in milliseconds. */
const timeoutMs = 10_000;

/** What `envoy --version` has behind "version:"; undefined when it does not answer so. */
export async function versionOf(path: string): Promise<string | undefined> {
  using deadline = new Deadline(timeoutMs);
  const { output } = await runCommand({ file: path, args: ["--version"], signal: deadline.signal });
  return output.find((line) => line.includes("version:"))?.replace(/^.*version:\s*/, "");
}
