/**
 * The TCP connections of a network namespace, as rows of `/proc/net/tcp{,6}` (proc(5)), read without a program that an
 * image may lack.
 */
import { readFileSync } from "node:fs";
import { execPath } from "node:process";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import type { RunTool } from "./tool.ts";

/** In a process that has entered the namespace: `/proc/net` is that of whoever reads it. */
const program = `
const { readFileSync } = process.getBuiltinModule("node:fs");
process.stdout.write(readFileSync("/proc/net/tcp"));
try {
  process.stdout.write(readFileSync("/proc/net/tcp6"));
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}`;

/**
 * Rows of both families, or why they cannot be read.
 *
 * @param run where the connections are
 * @param networkNamespace file of that network namespace; undefined is this process's own
 */
export async function readTcpRows(
  run: RunTool,
  networkNamespace: string | undefined,
): Promise<readonly string[] | string> {
  if (networkNamespace !== undefined) {
    const result = await run(execPath, ["--eval", program]);
    if (result.kind === "done") return result.lines;
    return result.kind === "missing" ? `there is no ${execPath}` : result.message;
  }
  try {
    return [...rowsOf("/proc/net/tcp"), ...ipv6Rows()];
  } catch (error) {
    return errorMessage(error);
  }
}

/** A kernel without IPv6 has no such table. */
function ipv6Rows(): readonly string[] {
  try {
    return rowsOf("/proc/net/tcp6");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function rowsOf(path: string): readonly string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .map((row) => row.trim());
}
