/**
 * One check of the workload, within its time.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { probeExec } from "./exec.ts";
import { probeGrpc } from "./grpc.ts";
import { probeHttp } from "./http.ts";
import { probeTcp } from "./tcp.ts";
import type { ProbeMethod, ProbeResult } from "./method.ts";

/** Longest reason: it goes to the control plane and into its objects. */
const maxReason = 1_024;

/**
 * Ask the workload. Never rejects: what keeps an answer from coming is a reason as well.
 *
 * @param timeoutMs for everything, in milliseconds
 * @param stop ends the check early
 */
export async function probeOnce(
  method: ProbeMethod,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<ProbeResult> {
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
export function describeMethod(method: ProbeMethod): string {
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

function ask(method: ProbeMethod, signal: AbortSignal): Promise<ProbeResult> {
  switch (method.kind) {
    case "http":
      return probeHttp(method, signal);
    case "tcp":
      return probeTcp(method, signal);
    case "exec":
      return probeExec(method, signal);
    case "grpc":
      return probeGrpc(method, signal);
  }
}

function unhealthy(reason: string): ProbeResult {
  return { kind: "unhealthy", reason: reason.slice(0, maxReason).toWellFormed() };
}
