/**
 * HTTP to servers that others name: every address is looked at after its name was resolved and before it is
 * connected to, at each redirect anew.
 */
import { unbracketed } from "../../net/host-port.ts";
import { lookup as resolve } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import { policyOptions, type TlsPolicy } from "../../grpc/tls-policy.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { authenticated, trustedRoots } from "../../net/server-authentication.ts";
import { settleAnyhow } from "../../net/settle-anyhow.ts";
import { WasmFetchError } from "../fetch-error.ts";
import type { AddressGuard, AddressPolicy, AddressRefusal } from "./address-guard.ts";
import { isRedirect, nextUrl } from "./redirect.ts";
import { licenceOf } from "./trusted-servers.ts";

/** What is allowed, for all requests. */
export interface GuardedHttpOptions {
  readonly guard: AddressGuard;
  readonly insecureRegistries: readonly string[];
  /** PEM of what servers are authenticated by, read once; undefined takes the roots that Node.js brings. */
  readonly roots: () => Buffer | undefined;
  /** What connections may be made of; undefined leaves it to Node.js. */
  readonly tlsPolicy: TlsPolicy | undefined;
  /** One request with its answer, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** One request. */
export interface GuardedRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST; a request without one is a GET. */
  readonly form?: URLSearchParams;
  /** Not to an address of a private network; of this machine only where the server is named. */
  readonly isPublicOnly?: boolean;
  readonly signal: AbortSignal;
}

/** An answer whose body is still to be read; disposing it ends the connection. */
export interface GuardedResponse extends Disposable {
  /** Of the server that answered. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: IncomingMessage;
  /** Aborts when the body has to be there. */
  readonly deadline: AbortSignal;
}

/** The client. */
export class GuardedHttp {
  readonly #options: GuardedHttpOptions;
  #trust: SecureContext | undefined;

  constructor(options: GuardedHttpOptions) {
    this.#options = options;
  }

  /** What the operator allows the server of a URL. */
  licence(url: URL): ReturnType<typeof licenceOf> {
    return licenceOf(url, this.#options.insecureRegistries);
  }

  /**
   * Ask, and follow redirects; credentials are not taken to another server.
   *
   * @throws WasmFetchError
   */
  async send(request: GuardedRequest): Promise<GuardedResponse> {
    const { requestTimeoutMs } = this.#options;
    using scope = new DisposableStack();
    const limit = scope.use(new Deadline(requestTimeoutMs));
    const signal = AbortSignal.any([request.signal, limit.signal]);
    let { url, headers = {} } = request;
    for (let followed = 0; ; followed += 1) {
      const response = await this.#ask({ ...request, url, headers, signal });
      if (!isRedirect(response.statusCode ?? 0)) {
        // The body has the rest of the time.
        scope.move();
        return answerOf(url, response, signal, limit);
      }
      response.destroy();
      const next = nextUrl(url, response.headers.location, followed, (to) => this.licence(to).insecure);
      if (next.kind === "refused")
        throw new WasmFetchError("download_failure", `${url.host} answered with ${next.reason}`);
      url = next.url;
      if (!next.keepsCredentials)
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
        );
    }
  }

  async #ask({ url, headers, form, isPublicOnly, signal }: GuardedRequest): Promise<IncomingMessage> {
    const licence = this.licence(url);
    const policy = { loopback: licence.loopback, privateNetwork: isPublicOnly !== true };
    const host = unbracketed(url.hostname);
    if (isIP(host) !== 0) this.#requireAllowed(host, [host], policy);
    const body = form?.toString();
    const options: RequestOptions = {
      host,
      port: url.port || undefined,
      path: `${url.pathname}${url.search}`,
      method: body === undefined ? "GET" : "POST",
      ...(url.username === "" ? {} : { auth: decodeURIComponent(`${url.username}:${url.password}`) }),
      headers: {
        "user-agent": "outrider",
        ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      agent: false,
      lookup: this.#guardedLookup(policy),
      signal,
    };
    return new Promise((resolveWith, reject) => {
      const request =
        url.protocol === "https:"
          ? httpsRequest({ ...options, ...this.#tls(licence.insecure) }, resolveWith)
          : httpRequest(options, resolveWith);
      request.on("socket", (socket) => {
        // Before the request is written: whatever led here, this is who would read it.
        socket.prependOnceListener("connect", () => {
          const refusal = this.#refusalOf(socket.remoteAddress ?? "", policy);
          if (refusal !== undefined) request.destroy(refused(host, [refusal]));
        });
      });
      const fail = (error: unknown): void => {
        reject(this.#explain(url, error, signal));
      };
      request.on("error", fail);
      settleAnyhow(request, signal, fail);
      request.end(body);
    });
  }

  #tls(insecure: boolean): ConnectionOptions & { readonly secureContext: SecureContext } {
    if (this.#trust === undefined) {
      const ca = this.#options.roots();
      const { tlsPolicy } = this.#options;
      this.#trust = createSecureContext({
        ...policyOptions(tlsPolicy),
        ...trustedRoots(ca),
      });
    }
    return { secureContext: this.#trust, ...authenticated, rejectUnauthorized: !insecure };
  }

  #guardedLookup(policy: AddressPolicy): LookupFunction {
    return (host, options, done) => {
      resolve(host, { ...options, all: true }, (error, found) => {
        if (error !== null) {
          done(error, []);
          return;
        }
        try {
          const allowed = this.#requireAllowed(
            host,
            found.map(({ address }) => address),
            policy,
          );
          const left = found.filter(({ address }) => allowed.includes(address));
          if (options.all === true) done(null, left);
          else done(null, left[0]?.address ?? "", left[0]?.family);
        } catch (refusal) {
          done(refusal as NodeJS.ErrnoException, []);
        }
      });
    };
  }

  /** @throws WasmFetchError when no address is left */
  #requireAllowed(host: string, addresses: readonly string[], policy: AddressPolicy): readonly string[] {
    const refusals: AddressRefusal[] = [];
    const allowed = addresses.filter((address) => {
      const refusal = this.#refusalOf(address, policy);
      if (refusal === undefined) return true;
      const { code, words } = refusal;
      refusals.push({ code, words: host === address ? words : `${host} has the address ${words}` });
      return false;
    });
    if (allowed.length > 0) return allowed;
    throw refused(host, refusals);
  }

  #refusalOf(address: string, policy: AddressPolicy): AddressRefusal | undefined {
    const refusal = this.#options.guard(address, policy);
    return refusal === undefined ? undefined : { ...refusal, words: `${address}, which ${refusal.words}` };
  }

  #explain(url: URL, error: unknown, signal: AbortSignal): Error {
    if (error instanceof WasmFetchError) return error;
    if (error instanceof Error && error.cause instanceof WasmFetchError) return error.cause;
    return transportError(url, error, signal);
  }
}

function refused(host: string, refusals: readonly AddressRefusal[]): WasmFetchError {
  const remedy = "name the server in WASM_INSECURE_REGISTRIES if it is meant to be asked";
  const isOwn = refusals.some(({ code }) => code === "this-machine");
  const reasons = refusals.map(({ words }) => words);
  return new WasmFetchError(
    "download_failure",
    `nothing is fetched from ${reasons.join(", ") || host}${isOwn ? `: ${remedy}` : ""}`,
  );
}

/** What became of a connection, or of a body that broke off. */
export function transportError(url: URL, error: unknown, signal: AbortSignal): WasmFetchError {
  if (signal.aborted)
    return new WasmFetchError("download_failure", `${url.host} did not answer in time`, {
      cause: error,
      isTransient: true,
    });
  const isUntrusted = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF|SELF_SIGNED|UNABLE_TO_)/.test(
    errorCode(error) ?? "",
  );
  return new WasmFetchError(
    "download_failure",
    `${url.host} ${isUntrusted ? "is not trusted" : "cannot be asked"}: ${errorMessage(error)}`,
    {
      cause: error,
      isTransient: !isUntrusted,
    },
  );
}

function answerOf(url: URL, body: IncomingMessage, deadline: AbortSignal, limit: Deadline): GuardedResponse {
  // What breaks after the last byte was read is nobody's business, and must not end the process.
  body.on("error", () => undefined);
  return {
    ...{ url, deadline },
    status: body.statusCode ?? 0,
    headers: body.headers,
    body,
    [Symbol.dispose]: () => {
      body.destroy();
      limit[Symbol.dispose]();
    },
  };
}
