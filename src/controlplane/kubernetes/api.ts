/**
 * The API of Kubernetes over HTTP: one request and its answer, or a watch and its events.
 *
 * Requests of a watch stay open; TCP looks whether the other end is still there, so that one that is gone without a word
 * is noticed within half a minute.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { isMapping } from "../../document/mapping.ts";
import { jsonValue } from "../../document/json.ts";
import type { DocumentLimits } from "../../document/limits.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { authenticated, trustedRoots } from "../../net/server-authentication.ts";
import type { Credentials, KubernetesAccess } from "./access.ts";
import { errorOfAnswer, KubernetesError } from "./api-error.ts";

/** Who asks, which the API also writes down as the manager of fields that are written without one. */
export const userAgent = "outrider";

/** What is asked. */
export interface ApiRequest {
  /** GET unless told. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** `application/json` unless told. */
  readonly contentType?: string;
}

/** JSON of the API. */
export type ApiObject = Readonly<Record<string, unknown>>;

/** One line of a watch (API concepts, "Efficient detection of changes"). */
export interface WatchEvent {
  readonly type: string;
  readonly object: ApiObject;
}

/** How long a watch is to last. */
export interface WatchOptions {
  readonly forSeconds: number;
  readonly signal: AbortSignal;
  /** Called once the server has taken it, which may be long before the first event. */
  readonly onOpen: () => void;
}

/** An object has 1.5 MiB at most in etcd, a page of a list 500 of them. */
const answerLimits: DocumentLimits = { maxBytes: 2 ** 28, maxDepth: 128, maxParts: Infinity };
const eventLimits: DocumentLimits = { maxBytes: 2 ** 24, maxDepth: 128, maxParts: Infinity };

/** One request and its answer, in milliseconds. */
const answerMs = 30_000;

/** After a watch should have ended by itself, in milliseconds. */
const overdueMs = 30_000;

/** How long TCP waits for a sign of life before it asks, in milliseconds. */
const keepAliveMs = 15_000;

/** Asks one cluster until disposed. */
export class KubernetesApi implements Disposable {
  readonly server: string;
  /** Of names that have none; undefined where nobody says. */
  readonly namespace: string | undefined;
  readonly #access: KubernetesAccess;
  readonly #agent: HttpAgent;

  constructor(access: KubernetesAccess) {
    this.#access = access;
    this.server = access.server;
    this.namespace = access.namespace;
    const options = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets: Infinity };
    this.#agent = access.server.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** @throws KubernetesError, or the signal's reason when it aborts */
  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiObject> {
    using limit = new Deadline(answerMs);
    const asked = describe(request);
    const response = await this.#open(request, AbortSignal.any([signal, limit.signal]), signal);
    const body = jsonValue(await this.#textOf(response, asked, signal), answerLimits);
    if (response.statusCode === undefined || response.statusCode >= 300) throw refusal(asked, response, body);
    if (!isMapping(body)) throw notKubernetes(asked);
    return body;
  }

  /**
   * The events of a watch until the server ends it, which it does after `forSeconds`.
   *
   * @throws KubernetesError, or the signal's reason when it aborts
   */
  async *watch(
    path: string,
    query: Readonly<Record<string, string>>,
    { forSeconds, signal, onOpen }: WatchOptions,
  ): AsyncGenerator<WatchEvent, void, undefined> {
    using limit = new Deadline(forSeconds * 1_000 + overdueMs);
    const all = { ...query, watch: "true", timeoutSeconds: `${forSeconds}` };
    const request: ApiRequest = { path, query: all };
    const asked = `watch of ${path}`;
    const response = await this.#open(request, AbortSignal.any([signal, limit.signal]), signal);
    if (response.statusCode !== 200) {
      const body = jsonValue(await this.#textOf(response, asked, signal), answerLimits);
      throw refusal(asked, response, body);
    }
    onOpen();
    try {
      for await (const line of linesOf(response)) {
        const event = jsonValue(line, eventLimits);
        if (!isMapping(event) || typeof event["type"] !== "string" || !isMapping(event["object"]))
          throw notKubernetes(asked);
        yield { type: event["type"], object: event["object"] };
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof KubernetesError ? error : this.#unreachable(asked, error);
    } finally {
      response.destroy();
    }
  }

  /** How a connection of another protocol authenticates the server and itself, and with which headers. */
  async connection(): Promise<Credentials> {
    const { headers, ...credentials } = await this.#access.credentials();
    return {
      ...{ ...trustedRoots(undefined), ...authenticated, ...credentials },
      headers: { ...headers, "user-agent": userAgent },
    };
  }

  async #open(request: ApiRequest, signal: AbortSignal, callerSignal: AbortSignal): Promise<IncomingMessage> {
    const asked = describe(request);
    try {
      const { headers, ...connection } = await this.connection();
      const url = new URL(`${this.server}${request.path}`);
      const query = new URLSearchParams(request.query).toString();
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const isSecure = url.protocol === "https:";
      const options: RequestOptions = {
        agent: this.#agent,
        ...connection,
        method: request.method ?? "GET",
        // An address of IPv6 stands in brackets in a URL only.
        host: url.hostname.replace(/^\[|\]$/g, ""),
        port: Number(url.port) || (isSecure ? 443 : 80),
        path: `${url.pathname}${query === "" ? "" : `?${query}`}`,
        headers: {
          ...headers,
          accept: "application/json",
          ...(body === undefined
            ? {}
            : {
                "content-type": request.contentType ?? "application/json",
                "content-length": `${Buffer.byteLength(body)}`,
              }),
        },
        signal,
      };
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = (isSecure ? httpsRequest : httpRequest)(options, resolve);
        sent.on("error", reject);
        sent.on("socket", (socket) => socket.setKeepAlive(true, keepAliveMs));
        sent.end(body);
      });
    } catch (error) {
      callerSignal.throwIfAborted();
      throw this.#unreachable(asked, error);
    }
  }

  async #textOf(response: IncomingMessage, asked: string, signal: AbortSignal): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > answerLimits.maxBytes) throw notKubernetes(asked);
        chunks.push(chunk);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof KubernetesError ? error : this.#unreachable(asked, error);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #unreachable(asked: string, error: unknown): KubernetesError {
    const reason = errorMessage(error);
    return new KubernetesError(
      "UNREACHABLE",
      `${asked}: ${this.server} does not answer: ${reason}. Look at the cluster's API, and at --kubeconfig`,
      { cause: error },
    );
  }
}

function describe({ method = "GET", path }: ApiRequest): string {
  return `${method} ${path}`;
}

function refusal(asked: string, response: IncomingMessage, body: unknown): KubernetesError {
  return errorOfAnswer(asked, response.statusCode ?? 0, body, response.headers["retry-after"]);
}

function notKubernetes(asked: string): KubernetesError {
  return new KubernetesError(
    "UNUSABLE",
    `${asked}: the answer is none of Kubernetes'. Look at --kubeconfig, and at what is between`,
  );
}

/** Lines of JSON as they come, each at most as long as an event may be. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      bytes = 0;
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > eventLimits.maxBytes)
      throw new KubernetesError("UNUSABLE", "an event of a watch is longer than any object");
  }
}
