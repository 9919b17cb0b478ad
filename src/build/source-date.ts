/** The date that builds give what they make: https://reproducible-builds.org/specs/source-date-epoch/ */
import { execFileSync } from "node:child_process";

/** In seconds since the epoch: SOURCE_DATE_EPOCH, else that of the last commit, else 0. */
export function sourceDate(root: string): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && given !== "") {
    if (!/^\d{1,11}$/.test(given))
      throw new Error(`SOURCE_DATE_EPOCH is ${JSON.stringify(given)}: it is to be seconds since 1970`);
    return Number(given);
  }
  return Number(ofGit(root, "%ct") ?? 0);
}

/** The last commit, or `unknown` outside a repository. */
export function sourceRevision(root: string): string {
  return ofGit(root, "%H") ?? "unknown";
}

function ofGit(root: string, format: string): string | undefined {
  try {
    return execFileSync("git", ["-C", root, "log", "-1", `--format=${format}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
