/**
 * What the commands beside a sidecar ask of it: whether it serves, and to end.
 */
import { unbracketed } from "../net/host-port.ts";
import { type AgentLocation, locateAgent } from "../config/agent-location.ts";
import { readConfigFile } from "../config/sources/read-sources.ts";
import { backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { fetchHttp } from "../net/http-client.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { AgentClient } from "../status/client.ts";
import { quitRoute } from "../status/routes/quit.ts";

/** The agent of this pod. */
export function locate(context: CommandContext): AgentLocation {
  return locateAgent({ env: context.env, flags: {}, readFile: readConfigFile });
}

/** How to wait. */
export interface WaitOptions {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly periodMs: number;
}

/** What came of it. */
export type WaitResult =
  | { readonly kind: "ready" }
  | { readonly kind: "timeout"; readonly lastError: string }
  | { readonly kind: "stopped" };

/** Undefined for a URL that is not `http:` and for a time that is none. */
export function waitOptions(args: Arguments, location: AgentLocation): WaitOptions | undefined {
  const text = args.optionalString("url") ?? `http://localhost:${location.envoyStatusPort}/healthz/ready`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const options = {
    timeoutMs: args.number("timeoutSeconds") * 1_000,
    requestTimeoutMs: args.number("requestTimeoutMillis"),
    periodMs: args.number("periodMillis"),
  };
  const areTimes = Object.values(options).every((ms) => ms >= 0 && ms < 2 ** 31);
  return url?.protocol === "http:" && areTimes ? { url, ...options } : undefined;
}

/** What to say when there are none. */
export const waitUsage =
  "--url must be an http:// URL; --timeoutSeconds, --requestTimeoutMillis and --periodMillis numbers from 0 on.";

/** Ask until the answer is 200. The first try is made at once. */
export async function waitForSidecar(options: WaitOptions, stop: AbortSignal): Promise<WaitResult> {
  const deadline = performance.now() + options.timeoutMs;
  let lastError = "";
  for (;;) {
    const left = deadline - performance.now();
    if (stop.aborted) return { kind: "stopped" };
    // A first try is made even when there is no time at all.
    if (left <= 0 && lastError !== "") return { kind: "timeout", lastError };
    lastError = await readinessProblem(options, stop);
    if (lastError === "") return { kind: "ready" };
    await sleep(Math.min(options.periodMs, Math.max(0, deadline - performance.now())), stop);
  }
}

/** Empty when it is ready. */
async function readinessProblem(options: WaitOptions, signal: AbortSignal): Promise<string> {
  try {
    const { status } = await fetchHttp({
      target: targetOf(options.url),
      url: `${options.url.pathname}${options.url.search}`,
      timeoutMs: options.requestTimeoutMs,
      signal,
    });
    return status === 200 ? "" : `${options.url.href} answered with status ${status}`;
  } catch (error) {
    return `${options.url.href}: ${errorMessage(error) || "no answer"}`;
  }
}

/** Where an `http:` URL leads. */
function targetOf(url: URL): { readonly host: string; readonly port: number } {
  return { host: unbracketed(url.hostname), port: Number(url.port || 80) };
}

const quitBackoff = { initialMs: 100, multiplier: 2, maxMs: 1_000, jitter: 0.2 };

/**
 * POST /quitquitquit until the sidecar has taken it or `withinMs` are over; one try is made in any case.
 *
 * @returns why it did not take it, or undefined
 */
export async function letSidecarGo(port: number, withinMs: number): Promise<string | undefined> {
  const deadline = performance.now() + withinMs;
  for (let attempt = 0; ; attempt += 1) {
    const problem = await askToQuit(port);
    const delayMs = backoffDelayMs(quitBackoff, attempt, Math.random());
    if (problem === undefined || performance.now() + delayMs > deadline) return problem;
    await sleep(delayMs);
  }
}

async function askToQuit(port: number): Promise<string | undefined> {
  try {
    // The admin port, which stands in for a status port, may be at either address.
    await new AgentClient({ host: "localhost", port }).tell(quitRoute, { withinMs: 1_000 });
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
