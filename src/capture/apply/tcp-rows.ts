/**
 * The TCP connections of the network namespace that rules are applied in, read without a program that an image may lack.
 */
import { execPath } from "node:process";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { ownTcpRows, tcpRowsProgram } from "../../net/tcp-rows.ts";
import type { RunTool } from "./tool.ts";

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
    const result = await run(execPath, ["--eval", tcpRowsProgram]);
    if (result.kind === "done") return result.lines;
    return result.kind === "missing" ? `there is no ${execPath}` : result.message;
  }
  try {
    return ownTcpRows();
  } catch (error) {
    return errorMessage(error);
  }
}
