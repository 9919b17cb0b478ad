/**
 * Asks a running agent, from beside it: by the routes that the agent itself serves, so that both agree on path, method
 * and shape.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { fetchHttp, type HttpResponse } from "../net/http-client.ts";
import type { Endpoint, JsonEndpoint } from "./contract/route.ts";

/** Where an agent is asked: its status port or a Unix socket. */
export type AgentAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** How to ask, and how long to wait. */
export interface Waiting {
  /** The whole exchange, in milliseconds; 5,000 unless told. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
  /** Of the request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why an agent's answer could not be had. */
export type AgentErrorCode =
  /** No connection, or no answer in time. */
  | "NO_ANSWER"
  /** Another status than 200. */
  | "STATUS"
  /** Not what an agent answers: another program may have the port. */
  | "NOT_AN_AGENT";

/** There is no answer that could be used. The message says why, and not who was asked for what. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

const usualMs = 5_000;

/** Longest answer that is taken, in bytes. */
const maxBytes = 32 * 2 ** 20;

/** One agent; nothing is held open between two questions. */
export class AgentClient {
  readonly #target: AgentAddress;

  constructor(target: AgentAddress) {
    this.#target = target;
  }

  /** The agent of this network namespace whose status port this is: it takes IPv4, whatever the pod has. */
  static onPort(port: number): AgentClient {
    return new AgentClient({ host: "127.0.0.1", port });
  }

  /** @throws AgentError */
  async ask<Body>(endpoint: JsonEndpoint<Body>, waiting: Waiting = {}): Promise<Body> {
    const text = await this.#expectOk(endpoint, waiting);
    const value = parsed(text);
    if (!endpoint.isBody(value))
      throw new AgentError("NOT_AN_AGENT", `it answers ${endpoint.path} with something that no agent says`);
    return value;
  }

  /** Ask for something whose answer is no more than that it is done. @throws AgentError */
  async tell(endpoint: Endpoint, waiting: Waiting = {}): Promise<void> {
    await this.#expectOk(endpoint, waiting);
  }

  /** Whatever the status says. @throws AgentError, with the code `NO_ANSWER` */
  async answer({ path, method }: Endpoint, { withinMs, signal, headers }: Waiting = {}): Promise<RawAnswer> {
    let response: HttpResponse;
    try {
      response = await fetchHttp({
        target: this.#target,
        method,
        url: path,
        timeoutMs: withinMs ?? usualMs,
        maxBytes,
        ...(signal === undefined ? {} : { signal }),
        ...(headers === undefined ? {} : { headers }),
      });
    } catch (error) {
      throw new AgentError("NO_ANSWER", errorMessage(error) || "no answer", error);
    }
    return { status: response.status, text: response.body.toString("utf8") };
  }

  async #expectOk(endpoint: Endpoint, waiting: Waiting): Promise<string> {
    const { status, text } = await this.answer(endpoint, waiting);
    if (status !== 200) throw new AgentError("STATUS", `status ${status}: ${text.trim()}`);
    return text;
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
