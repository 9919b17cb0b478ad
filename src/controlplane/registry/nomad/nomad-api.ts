/**
 * Nomad's HTTP API: one question and its answer.
 */
import { readJson } from "../../../document/json.ts";
import { errorMessage } from "../../../lifecycle/error-message.ts";
import { fetchHttp, type HttpResponse } from "../../../net/http-client.ts";
import { agentRequest, type AgentRequest, type AgentTarget } from "../agent-request.ts";

/** Which Nomad is asked, and as whom. */
export interface NomadTarget extends AgentTarget {
  /** The region that is asked for; undefined for the agent's own. */
  readonly region?: string | undefined;
  /** The namespace that is followed; `*` for all that the token may read. */
  readonly namespace: string;
}

/** An answer with what Nomad says of its state. */
export interface NomadAnswer {
  readonly body: unknown;
  /** X-Nomad-Index; 0 where it says none. */
  readonly index: number;
}

/** Why there is no answer that could be used. */
export type NomadErrorCode = "UNREACHABLE" | "REFUSED" | "NOT_FOUND" | "NO_LEADER" | "UNUSABLE";

/** The message names Nomad and what to do. */
export class NomadError extends Error {
  override readonly name = "NomadError";
  readonly code: NomadErrorCode;

  constructor(code: NomadErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** One question and its answer, in milliseconds. */
const answerMs = 15_000;

/** Several times the allocations of 10,000 jobs, in bytes. */
const limits = { maxBytes: 2 ** 26, maxDepth: 32, maxParts: Infinity };

/** Reads the token anew. @throws Error when it cannot be read */
export function requestOf(
  target: NomadTarget,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AgentRequest {
  const { region } = target;
  return agentRequest(
    target,
    path,
    { ...(region === undefined ? {} : { region }), ...query },
    "x-nomad-token",
  );
}

/** @throws NomadError, or the signal's reason when it aborts */
export async function ask(
  target: NomadTarget,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<NomadAnswer> {
  let response: HttpResponse;
  try {
    const { host, port, url, headers, tls } = requestOf(target, path, query);
    response = await fetchHttp({
      target: { host, port },
      tls,
      url,
      headers,
      timeoutMs: answerMs,
      maxBytes: limits.maxBytes,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error);
  }
  const { status, headers, body } = response;
  if (status !== 200) throw refusal(status, body.toString("utf8"));
  if (headers["x-nomad-knownleader"] === "false")
    throw new NomadError(
      "NO_LEADER",
      "has no leader: what it answers may be of any age. Look at its servers",
    );
  const document = readJson(body.toString("utf8"), limits);
  if (document.kind === "refused")
    throw new NomadError(
      "UNUSABLE",
      `answered with what ${document.faults[0]?.message}. Is this Nomad, and is nothing between?`,
    );
  const index = Number(headers["x-nomad-index"] ?? 0);
  return { body: document.value, index: Number.isSafeInteger(index) ? index : 0 };
}

/** Text of the key set by which identities of workloads are checked (Nomad 1.7 and later). @throws NomadError */
export async function signingKeys(target: NomadTarget, signal: AbortSignal): Promise<string> {
  return JSON.stringify((await ask(target, "/.well-known/jwks.json", {}, signal)).body);
}

/** Nobody answered. */
export function unreachable(error: unknown): NomadError {
  if (error instanceof NomadError) return error;
  return new NomadError(
    "UNREACHABLE",
    `cannot be asked: ${errorMessage(error)}. Look at its agent, and at --nomadAddress`,
    error,
  );
}

/** What an answer of another status than 200 comes to. */
export function refusal(status: number, text: string): NomadError {
  const reason = JSON.stringify(text.trim().slice(0, 200));
  if (status === 401 || status === 403)
    return new NomadError(
      "REFUSED",
      `refuses the token (status ${status}, ${reason}): put one into --nomadTokenFile that has read-job in the namespaces`,
    );
  if (status === 404) return new NomadError("NOT_FOUND", `has not what was asked for (${reason})`);
  if (/no cluster leader/i.test(text))
    return new NomadError("NO_LEADER", "has no leader. Look at its servers");
  return new NomadError("UNUSABLE", `answered with status ${status}, ${reason}. Look at its log`);
}
