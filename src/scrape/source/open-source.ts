/**
 * Ask one source: it is connected, and its answer's head is read. The body is left to whoever merges it.
 *
 * Nobody but loopback and Envoy's own socket is ever asked: a redirect is followed within the source it came from.
 */
import type { NetConnectOpts } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { PulledResponse } from "../../net/pulled-response.ts";
import type { Format } from "../formats/family.ts";
import { formatOf } from "../formats/negotiation.ts";
import { SourceFailure } from "./failure.ts";

/** A source of metrics. */
export interface Source {
  /** As metrics and logs call it: `envoy`, `application:8080/metrics`. */
  readonly name: string;
  /** Istio's word for it. */
  readonly type: "envoy" | "application";
  readonly at: { readonly socketPath: string } | { readonly port: number };
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One that answers. */
export interface OpenSource {
  readonly format: Format;
  /** Says by its end that it is whole, rather than by the connection's. */
  readonly isDelimited: boolean;
  readonly body: PulledResponse;
}

/** Times that a source may send elsewhere. */
const mostRedirects = 5;

/** @param memory what is read lies there @throws SourceFailure */
export async function openSource(source: Source, memory: Buffer, signal: AbortSignal): Promise<OpenSource> {
  let { url } = source;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const answer = await ask(source, url, memory, signal);
    const { status, headers } = answer.head;
    if (status === 200) return read(answer);
    answer[Symbol.dispose]();
    const location = headers.get("location");
    if (status < 300 || status > 399 || location === undefined)
      throw new SourceFailure("status", `answered ${status}`);
    url = within(source, url, location);
  }
  throw new SourceFailure("redirect", `redirected more than ${mostRedirects} times`);
}

async function ask(
  { at, headers }: Source,
  path: string,
  memory: Buffer,
  signal: AbortSignal,
): Promise<PulledResponse> {
  try {
    return await PulledResponse.open({ at: addressOf(at), path, headers, memory, signal });
  } catch (error) {
    if (error instanceof SourceFailure) throw error;
    throw new SourceFailure("unavailable", errorMessage(error), error);
  }
}

/**
 * How long one address of loopback may take, in milliseconds: what refuses does so at once. Node.js' own 250 ms are over as soon
 * as this process was held up for that long, whether the connection is there or not.
 */
const perAddressMs = 120_000;

function addressOf(at: Source["at"]): NetConnectOpts {
  if ("socketPath" in at) return { path: at.socketPath };
  // Whatever the machine's files call localhost; the application may listen on one family only.
  return {
    host: "localhost",
    port: at.port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: perAddressMs,
    lookup: (_host, _options, found) => {
      found(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "::1", family: 6 },
      ]);
    },
  };
}

function read(answer: PulledResponse): OpenSource {
  const { headers, body } = answer.head;
  const encoding = headers.get("content-encoding") ?? "identity";
  const contentType = headers.get("content-type");
  const format = encoding === "identity" ? formatOf(contentType) : undefined;
  if (format !== undefined) return { format, isDelimited: body.kind !== "close", body: answer };
  answer[Symbol.dispose]();
  throw new SourceFailure(
    "format",
    encoding === "identity" ? `answered with ${contentType ?? ""}` : `answered in ${encoding}`,
  );
}

/** Path and query of a redirect that stays within its source. */
function within(source: Source, from: string, location: string): string {
  const home = `http://localhost:${"port" in source.at ? source.at.port : 80}`;
  const target = URL.parse(location, home + from);
  if (target === null || target.origin !== new URL(home).origin)
    throw new SourceFailure("redirect", "redirected to another server");
  return target.pathname + target.search;
}
