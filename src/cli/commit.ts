/**
 * Which commit this program was made from.
 */
import { join } from "node:path";
import { readRegularText } from "../files/read-regular-file.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { runCommand } from "../process/command.ts";

/** Longest wait for git, in milliseconds. */
const timeoutMs = 2_000;

/** File of a release, beside `bin`, that holds it. */
export const commitFile = "commit";

/** @param root folder of the release, or of the repository; undefined where neither says */
export async function commitOf(root: string): Promise<string | undefined> {
  try {
    return hashIn(readRegularText(join(root, commitFile)));
  } catch {
    return commitOfRepository(root);
  }
}

/** What is checked out there; undefined without git. */
export async function commitOfRepository(root: string): Promise<string | undefined> {
  try {
    using deadline = new Deadline(timeoutMs);
    // A release that lies in somebody else's repository is not made from that.
    const args = [`--git-dir=${join(root, ".git")}`, "rev-parse", "HEAD"];
    const { output } = await runCommand({ file: "git", args, signal: deadline.signal });
    return hashIn(output.join("\n"));
  } catch {
    return undefined;
  }
}

function hashIn(text: string): string | undefined {
  return /^[0-9a-f]{40,64}$/m.exec(text)?.[0];
}
