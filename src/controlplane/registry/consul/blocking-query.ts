/**
 * Consul's blocking queries: a question that is answered once there is something new, or after a while.
 */
import { readJson } from "../../../document/json.ts";
import { errorMessage } from "../../../lifecycle/error-message.ts";
import { fetchHttp, type HttpResponse } from "../../../net/http-client.ts";
import { agentRequest, type AgentTarget } from "../agent-request.ts";

/** Which Consul is asked, and as whom. */
export interface ConsulTarget extends AgentTarget {
  /** The datacentre that is asked for; undefined for the agent's own. */
  readonly datacenter?: string | undefined;
}

/** What is asked. */
export interface ConsulQuestion {
  readonly path: string;
  /** What was answered last; 0 for an answer at once. */
  readonly index: number;
}

/** An answer with what it says of itself. */
export interface ConsulAnswer {
  readonly body: unknown;
  /** From 1 on. */
  readonly index: number;
  /** True when there is more than this token may read. */
  readonly isFiltered: boolean;
}

/** Why there is no answer that could be used. */
export type ConsulErrorCode = "UNREACHABLE" | "REFUSED" | "NO_LEADER" | "UNUSABLE";

/** The message names Consul and what to do. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  readonly code: ConsulErrorCode;

  constructor(code: ConsulErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Consul answers after this long at the latest, in milliseconds, with a sixteenth more at random. */
const waitMs = 60_000;

/** What an answer may take besides. */
const answerMs = 15_000;

/** Several times the catalog of 5,000 services, in bytes. */
const limits = { maxBytes: 2 ** 26, maxDepth: 32, maxParts: Infinity };

/** @throws ConsulError, or the signal's reason when it aborts */
export async function ask(
  target: ConsulTarget,
  { path, index }: ConsulQuestion,
  signal: AbortSignal,
): Promise<ConsulAnswer> {
  const { datacenter } = target;
  const query = {
    ...(index === 0 ? {} : { index: `${index}`, wait: `${waitMs}ms` }),
    ...(datacenter === undefined ? {} : { dc: datacenter }),
  };
  let response: HttpResponse;
  try {
    const { host, port, url, headers, tls } = agentRequest(target, path, query, "x-consul-token");
    response = await fetchHttp({
      target: { host, port },
      tls,
      url,
      headers,
      timeoutMs: (index === 0 ? 0 : waitMs * (1 + 1 / 16)) + answerMs,
      maxBytes: limits.maxBytes,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new ConsulError(
      "UNREACHABLE",
      `cannot be asked: ${errorMessage(error)}. Look at its agent, and at --consulserverURL`,
      error,
    );
  }
  return answerOf(response);
}

/** The index of the next question: it begins anew when what Consul counts by goes backwards, as after a restored snapshot. */
export function nextIndex(asked: number, answered: number): number {
  return answered < asked ? 0 : answered;
}

function answerOf({ status, headers, body }: HttpResponse): ConsulAnswer {
  const text = body.toString("utf8");
  if (status !== 200) throw refusal(status, text);
  // Where there is no leader any server answers with what it has, which after a start is nothing.
  if (headers["x-consul-knownleader"] === "false")
    throw new ConsulError(
      "NO_LEADER",
      "has no leader: what it answers may be of any age. Look at its servers",
    );
  const index = Number(headers["x-consul-index"]);
  if (!Number.isSafeInteger(index) || index < 0)
    throw new ConsulError("UNUSABLE", "answered without an X-Consul-Index. Is this Consul?");
  const document = readJson(text, limits);
  if (document.kind === "refused")
    throw new ConsulError(
      "UNUSABLE",
      `answered with what ${document.faults[0]?.message}. Is this Consul, and is nothing between?`,
    );
  const isFiltered = headers["x-consul-results-filtered-by-acls"] === "true";
  return { body: document.value, index: Math.max(1, index), isFiltered };
}

function refusal(status: number, text: string): ConsulError {
  const reason = JSON.stringify(text.trim().slice(0, 200));
  if (status === 401 || status === 403)
    return new ConsulError(
      "REFUSED",
      `refuses the token (status ${status}, ${reason}): put one into --consulTokenFile that may read nodes and services`,
    );
  if (text.includes("No cluster leader"))
    return new ConsulError("NO_LEADER", "has no leader. Look at its servers");
  return new ConsulError("UNUSABLE", `answered with status ${status}, ${reason}. Look at its log`);
}
