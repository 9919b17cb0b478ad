/**
 * One check of the workload, within its time.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { checkExec } from "./check-exec.ts";
import { checkGrpc } from "./check-grpc.ts";
import { checkHttp } from "./check-http.ts";
import { checkTcp } from "./check-tcp.ts";
import type { CheckResult } from "./health.ts";
import type { HealthCheckMethod } from "./options.ts";

/** Longest reason: it goes to the control plane and into its objects. */
const maxReason = 1_024;

/**
 * Ask the workload. Never rejects: what keeps an answer from coming is a reason as well.
 *
 * @param timeoutMs for everything, in milliseconds
 * @param stop ends the check early
 */
export async function checkOnce(
  method: HealthCheckMethod,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<CheckResult> {
  using limit = new Deadline(timeoutMs);
  const deadline = limit.signal;
  try {
    const result = await ask(method, AbortSignal.any([deadline, stop]));
    return result.kind === "healthy" ? result : unhealthy(result.reason);
  } catch (error) {
    return unhealthy(deadline.aborted ? `no answer within ${timeoutMs} ms` : errorMessage(error));
  }
}

/** What is checked, in an operator's words. */
export function describeMethod(method: HealthCheckMethod): string {
  switch (method.kind) {
    case "http":
      return `GET ${method.scheme}://${method.host}:${method.port}${method.path}`;
    case "tcp":
      return `connect to ${method.host}:${method.port}`;
    case "exec":
      return `run ${method.file}`;
    case "grpc":
      return `grpc.health.v1 of ${method.host}:${method.port}`;
  }
}

function ask(method: HealthCheckMethod, signal: AbortSignal): Promise<CheckResult> {
  switch (method.kind) {
    case "http":
      return checkHttp(method, signal);
    case "tcp":
      return checkTcp(method, signal);
    case "exec":
      return checkExec(method, signal);
    case "grpc":
      return checkGrpc(method, signal);
  }
}

function unhealthy(reason: string): CheckResult {
  return { kind: "unhealthy", reason: reason.slice(0, maxReason).toWellFormed() };
}
