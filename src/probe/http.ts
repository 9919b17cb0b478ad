/**
 * What the workload answers to a GET.
 *
 * As the kubelet does it: a redirect within the same host is followed, and one to another host is an answer.
 */
import { bracketed } from "../net/host-port.ts";
import type { OutgoingHttpHeaders } from "node:http";
import { exchange, type HttpQuestion, type HttpReply, portOf } from "./http-exchange.ts";
import type { ProbeMethod, ProbeResult, ProbeTarget } from "./method.ts";

type HttpCheck = Extract<ProbeMethod, { kind: "http" }>;

const maxRedirects = 10;
const userAgent = "istio-probe/1.0";
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Ask, and follow. @throws the error of a failed exchange, or the signal's reason */
export async function probeHttp(check: HttpCheck, signal: AbortSignal): Promise<ProbeResult> {
  const question = { ...check, headers: headersOf(check), offersHttp2: false, maxBodyBytes: 0 };
  const { status } = await followed({ ...question, agent: undefined }, signal);
  if (status >= 200 && status < 400) return { kind: "healthy" };
  return { kind: "unhealthy", reason: `it answered ${status}` };
}

/** A GET that is followed to its answer. */
export interface FollowedQuestion extends Omit<HttpQuestion, "url">, ProbeTarget {
  readonly scheme: "http" | "https";
}

/**
 * Ask, and follow redirects within the host.
 *
 * @throws the error of a failed exchange, that of too many redirects, or the signal's reason
 */
export async function followed(question: FollowedQuestion, signal: AbortSignal): Promise<HttpReply> {
  const { scheme, host, port } = question;
  let url = new URL(`${scheme}://${bracketed(host)}:${port}`);
  let { path, headers } = question;
  for (let count = 0; count <= maxRedirects; count += 1) {
    const reply = await exchange({ ...question, url, path, headers }, signal);
    const { status, location } = reply;
    const next = redirects.includes(status) ? redirectTarget(`${url.origin}${path}`, location) : undefined;
    if (next === undefined) return reply;
    // Whoever says where to ask says by which name, too.
    if (next.origin !== url.origin) headers = withoutHost(headers);
    url = next;
    path = next.pathname + next.search;
  }
  throw new Error(`it redirected more than ${maxRedirects} times`);
}

/** This machine itself, as URL writes it. */
const loopback =
  /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:(?:7f[\da-f]{2}:[\da-f]{1,4}|0:0)\])$/;

/**
 * Where to ask next; undefined when the redirect leads to another host, or nowhere.
 *
 * On loopback another port is as good as another host: what listens there may trust whoever comes from this machine.
 */
export function redirectTarget(from: string, location: string | undefined): URL | undefined {
  const next = location === undefined ? null : URL.parse(location, from);
  const here = URL.parse(from);
  if (next === null || here === null || next.hostname !== here.hostname) return undefined;
  if (next.protocol !== "http:" && next.protocol !== "https:") return undefined;
  return loopback.test(here.hostname) && portOf(next) !== portOf(here) ? undefined : next;
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

function withoutHost(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "host"));
}
