/**
 * What the workload answers to a GET.
 *
 * As the kubelet does it: a redirect within the same host is followed, one to another host is an answer, and a
 * certificate is not verified, because a workload is asked by its address.
 */
import { unbracketed } from "../net/host-port.ts";
import type { OutgoingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { bracketed } from "../net/host-port.ts";
import { uncaptured } from "./uncaptured.ts";
import type { ProbeMethod, ProbeResult } from "./method.ts";

type HttpCheck = Extract<ProbeMethod, { kind: "http" }>;

const maxRedirects = 10;
const userAgent = "istio-probe/1.0";
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Ask, and follow. @throws the error of a failed exchange, or the signal's reason */
export async function probeHttp(check: HttpCheck, signal: AbortSignal): Promise<ProbeResult> {
  let url = new URL(`${check.scheme}://${bracketed(check.host)}:${check.port}`);
  let path = check.path;
  for (let followed = 0; followed <= maxRedirects; followed += 1) {
    const [to, at] = [url, path];
    const { status, location } = await uncaptured(check, (sourceAddress) =>
      statusOf({ ...check, sourceAddress }, to, at, signal),
    );
    if (status < 200 || status >= 400) return { kind: "unhealthy", reason: `it answered ${status}` };
    const next = redirects.includes(status) ? redirectTarget(`${url.origin}${path}`, location) : undefined;
    if (next === undefined) return { kind: "healthy" };
    url = next;
    path = next.pathname + next.search;
  }
  return { kind: "unhealthy", reason: `it redirected more than ${maxRedirects} times` };
}

/** Where to ask next; undefined when the redirect leads to another host, or nowhere. */
export function redirectTarget(from: string, location: string | undefined): URL | undefined {
  const next = location === undefined ? null : URL.parse(location, from);
  if (next === null || next.hostname !== URL.parse(from)?.hostname) return undefined;
  return next.protocol === "http:" || next.protocol === "https:" ? next : undefined;
}

/** The headers to send, those that are given first. */
export function headersOf({ headers }: Pick<HttpCheck, "headers">): OutgoingHttpHeaders {
  const sent: Record<string, string | string[]> = {};
  const names = new Map<string, string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    const before = sent[names.get(lower) ?? name];
    const key = names.get(lower) ?? name;
    names.set(lower, key);
    // Of two hosts the first counts; any other header may come more than once.
    if (before === undefined) sent[key] = value;
    else if (lower !== "host") sent[key] = [...[before].flat(), value];
  }
  if (!names.has("user-agent")) sent["user-agent"] = userAgent;
  return sent;
}

async function statusOf(
  check: HttpCheck,
  { protocol, hostname, port }: URL,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  const isTls = protocol === "https:";
  // TLS is loaded by those who need it.
  const { request: open } = isTls ? await import("node:https") : await import("node:http");
  const host = unbracketed(hostname);
  return new Promise((resolve, reject) => {
    const request = open(
      {
        host,
        port: port === "" ? (isTls ? 443 : 80) : Number(port),
        path,
        headers: headersOf(check),
        agent: false,
        signal,
        ...(isTls ? { rejectUnauthorized: false, servername: isIP(host) === 0 ? host : "" } : {}),
        ...(check.sourceAddress === undefined ? {} : { localAddress: check.sourceAddress }),
      },
      (response) => {
        resolve({ status: response.statusCode ?? 0, location: response.headers.location });
        // The body may be of any size, and says nothing.
        response.destroy();
      },
    );
    request.on("error", reject);
    request.end();
  });
}
