/**
 * The environment that a running agent was started with, for commands that look at it from beside it.
 */
import { readFileSync } from "node:fs";
import { originalEnvironment } from "../process/own-environment.ts";

/** Undefined for another user's agent and for one that has ended: in a container the caller's own is the same. */
export function environmentOf(pid: number): Readonly<Record<string, string | undefined>> | undefined {
  try {
    return originalEnvironment(parseEnviron(readFileSync(`/proc/${pid}/environ`, "utf8")));
  } catch {
    return undefined;
  }
}

/** `/proc/<pid>/environ` as an object. */
export function parseEnviron(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\0").flatMap((entry) => {
      const at = entry.indexOf("=");
      return at < 1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
    }),
  );
}
