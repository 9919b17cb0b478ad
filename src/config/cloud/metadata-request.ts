/**
 * One question to a cloud's metadata service.
 */
import type { Environment } from "../sources/environment.ts";
import { isIPv6 } from "../../net/ip-version.ts";
import { fetchHttp } from "../../net/http-client.ts";
import { parseHostPort } from "../../net/host-port.ts";

/** What facts are asked for with. */
export interface CloudContext {
  readonly env: Environment;
  /** For all questions together, in milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** The address that all of them have, unless the environment names another. */
const linkLocal = { host: "169.254.169.254", port: 80 };

/** Where `host` or `host:port` leads; the link-local address when there is none. */
export function metadataTarget(address: string | undefined): {
  readonly host: string;
  readonly port: number;
} {
  const text = address ?? "";
  // Without a port, an IPv6 address may lack its brackets too.
  return parseHostPort(isIPv6(text) ? `[${text}]:80` : text) ?? parseHostPort(`${text}:80`) ?? linkLocal;
}

/** What to ask. */
export interface Question {
  readonly address?: string | undefined;
  readonly url: string;
  readonly method?: "GET" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer's text; undefined when there is none. Longer than 64 KiB is none. */
export async function ask(question: Question, context: CloudContext): Promise<string | undefined> {
  try {
    const { status, body } = await fetchHttp({
      target: metadataTarget(question.address),
      method: question.method ?? "GET",
      url: question.url,
      headers: question.headers,
      timeoutMs: context.deadlineMs,
      signal: context.signal,
      maxBytes: 65_536,
    });
    return status === 200 ? body.toString("utf8").trim() : undefined;
  } catch {
    return undefined;
  }
}

/** The pairs that have a value. */
export function known(
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}
