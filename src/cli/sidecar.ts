/**
 * What the commands beside a sidecar ask of it: whether it serves, and to end.
 */
import { jsonValue } from "../document/json.ts";
import { configurationLimits } from "../document/limits.ts";
import { unbracketed } from "../net/host-port.ts";
import { type AgentLocation, locateAgent } from "../config/agent-location.ts";
import { readConfigFile } from "../config/sources/read-sources.ts";
import { backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { fetchHttp } from "../net/http-client.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { AgentClient } from "../status/client.ts";
import { readinessRoute } from "../status/routes/readiness.ts";
import { quitRoute } from "../status/routes/quit.ts";

/** The agent of this pod. */
export function locate(context: CommandContext): AgentLocation {
  return locateAgent({ env: context.env, flags: {}, readFile: readConfigFile });
}

/** How to wait. */
export interface WaitOptions {
  readonly url: URL;
  /** Port of the agent, which knows why nothing answers at the URL; undefined for a URL of somebody's own. */
  readonly agentPort: number | undefined;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly periodMs: number;
}

/** What came of it. */
export type WaitResult =
  | { readonly kind: "ready" }
  | {
      readonly kind: "timeout";
      readonly lastError: string;
      /** Somebody answered, if only to say why it is not ready. */
      readonly isThere: boolean;
    }
  | { readonly kind: "stopped" };

/** Undefined for a URL that is not `http:` and for a time that is none. */
export function waitOptions(args: Arguments, location: AgentLocation): WaitOptions | undefined {
  const given = args.optionalString("url");
  const text = given ?? `http://localhost:${location.envoyStatusPort}/healthz/ready`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const times = {
    timeoutMs: args.number("timeoutSeconds") * 1_000,
    requestTimeoutMs: args.number("requestTimeoutMillis"),
    periodMs: args.number("periodMillis"),
  };
  const areTimes = Object.values(times).every((ms) => ms >= 0 && ms < 2 ** 31);
  if (url?.protocol !== "http:" || !areTimes) return undefined;
  return { url, agentPort: given === undefined ? location.statusPort || undefined : undefined, ...times };
}

/** What to say when there are none. */
export const waitUsage =
  "--url must be an http:// URL; --timeoutSeconds, --requestTimeoutMillis and --periodMillis numbers from 0 on.";

/**
 * Ask until the answer is 200. The first try is made at once.
 *
 * @param onReason told what is waited for, whenever that changes, and each minute that it lasts
 * @param quietMs how long nothing is told, in milliseconds
 */
export async function waitForSidecar(
  options: WaitOptions,
  stop: AbortSignal,
  onReason: (reason: string) => void,
  quietMs = 0,
): Promise<WaitResult> {
  const deadline = performance.now() + options.timeoutMs;
  const quietUntil = performance.now() + quietMs;
  let lastError = "";
  let isThere = false;
  let told = "";
  let toldAt = performance.now();
  for (;;) {
    const left = deadline - performance.now();
    if (stop.aborted) return { kind: "stopped" };
    // A first try is made even when there is no time at all.
    if (left <= 0 && lastError !== "") return { kind: "timeout", lastError, isThere };
    const problem = await readinessProblem(options, stop);
    if (problem === undefined) return { kind: "ready" };
    ({ words: lastError, isThere } = problem);
    const isNews = withoutNumbers(lastError) !== told || performance.now() - toldAt > againMs;
    if (isNews && performance.now() >= quietUntil) {
      onReason(lastError);
      told = withoutNumbers(lastError);
      toldAt = performance.now();
    }
    await sleep(Math.min(options.periodMs, Math.max(0, deadline - performance.now())), stop);
  }
}

/** A count or an age that grows is no other reason. */
function withoutNumbers(reason: string): string {
  return reason.replaceAll(/\d+/g, "");
}

/** Between two lines about the same reason, in milliseconds. */
const againMs = 60_000;

/** Why it is not ready. */
interface ReadinessProblem {
  readonly words: string;
  /** Somebody answered. */
  readonly isThere: boolean;
}

/** Undefined when it is ready. */
async function readinessProblem(
  options: WaitOptions,
  signal: AbortSignal,
): Promise<ReadinessProblem | undefined> {
  const { url, agentPort, requestTimeoutMs } = options;
  try {
    const { status, body } = await fetchHttp({
      target: targetOf(url),
      url: `${url.pathname}${url.search}`,
      timeoutMs: requestTimeoutMs,
      maxBytes: maxReadinessBytes,
      signal,
    });
    if (status === 200) return undefined;
    const reason = reasonIn(body.toString("utf8"));
    const words = `${url.href} answered with status ${status}${reason === undefined ? "" : `: ${reason}`}`;
    return { words, isThere: true };
  } catch (error) {
    const problem = `${url.href}: ${errorMessage(error) || "no answer"}`;
    const reason = agentPort === undefined ? undefined : await askAgent(agentPort, requestTimeoutMs, signal);
    return reason === undefined
      ? { words: problem, isThere: false }
      : { words: `${reason} (${problem})`, isThere: true };
  }
}

/** Longest answer about readiness, in bytes. */
const maxReadinessBytes = 65_536;

/** Why Envoy, which does not answer, is not ready; undefined where the agent cannot be asked either. */
async function askAgent(port: number, withinMs: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    return reasonIn((await AgentClient.onPort(port).answer(readinessRoute, { withinMs, signal })).text);
  } catch {
    return undefined;
  }
}

/** With what to do about it, as far as the agent knows; undefined for an answer that gives none. */
function reasonIn(text: string): string | undefined {
  const value = jsonValue(text, configurationLimits);
  if (!readinessRoute.isBody(value) || value.reason === undefined) return undefined;
  const remedy = value.conditions?.find(({ status }) => status === "fails")?.remedy;
  return remedy === undefined ? value.reason : `${value.reason} → ${remedy}`;
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
