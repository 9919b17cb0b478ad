/**
 * Asks the application for the kubelet, whose own requests the mesh would refuse.
 *
 * The kubelet sees what it would see if it asked itself: a status, and the beginning of the body.
 */
import { Agent } from "node:http";
import { errorMessage } from "../lifecycle/error-message.ts";
import { Deadline } from "../lifecycle/timer.ts";
import { followed } from "../probe/http.ts";
import type { HttpReply } from "../probe/http-exchange.ts";
import { probeOnce } from "../probe/probe.ts";
import { type Answer, type Asked, text } from "../status/contract/route.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { AppProber, AppProbesOptions } from "./options.ts";

/** How much of a body is passed on, in bytes: what the kubelet reads. */
const maxBodyBytes = 10_240;

/** Longest probe that says nothing of its time, in milliseconds; whoever asks has usually left long before. */
const longestMs = 3_600_000;

/** Probes at once for one address: another's must not use up what the kubelet needs. */
const mostForOne = 64;

/** Between two connections that are kept, in milliseconds. */
const keptMs = 30_000;

/** Where results are told. */
export interface AppProbesDependencies {
  readonly log: Logger;
  /** Of this project's own prefix. */
  readonly metrics: Metrics;
}

/** What one came to. */
type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly reason: string };

/** The probes of one pod. */
export class AppProbes {
  readonly #options: AppProbesOptions;
  readonly #log: Logger;
  readonly #probes: CounterMetric;
  readonly #agent: Agent | undefined;
  readonly #atWork = new Map<string, number>();
  readonly #failing = new Set<string>();

  constructor(options: AppProbesOptions, { log, metrics }: AppProbesDependencies) {
    this.#options = options;
    this.#log = log;
    this.#probes = metrics.counter(
      "application_probes_total",
      "Probes of the application that were made for the kubelet, by result.",
      ["result"],
    );
    this.#agent = options.keepsConnections ? new Agent({ keepAlive: true, timeout: keptMs }) : undefined;
  }

  /** Undefined for a path that has no probe. */
  async answer(asked: Asked): Promise<Answer | undefined> {
    const { path, from = "" } = asked;
    const prober = this.#options.probers.get(path);
    if (prober === undefined) return undefined;
    const atWork = this.#atWork.get(from) ?? 0;
    if (atWork >= mostForOne) return text(503, `${mostForOne} probes for ${from} are at work\n`);
    this.#atWork.set(from, atWork + 1);
    try {
      return this.#told(path, await this.#ask(prober, asked));
    } finally {
      const left = (this.#atWork.get(from) ?? 1) - 1;
      if (left === 0) this.#atWork.delete(from);
      else this.#atWork.set(from, left);
    }
  }

  async #ask(prober: AppProber, { headers, gone }: Asked): Promise<Outcome> {
    const { host, sourceAddress, statusPort, offersHttp2 } = this.#options;
    const { port } = prober;
    const target = { host, port, sourceAddress };
    const timeoutMs = prober.timeoutMs === 0 ? longestMs : prober.timeoutMs;
    if (prober.kind === "http") {
      const question = {
        ...target,
        ...{ scheme: prober.scheme, path: prober.path, offersHttp2, maxBodyBytes, agent: this.#agent },
        headers: forwardedHeaders(headers, { statusPort, target }),
      };
      return asHttp((signal) => followed(question, signal), timeoutMs, gone());
    }
    const userAgent = headers["user-agent"];
    const method = { ...prober, ...target, ...(userAgent === undefined ? {} : { userAgent }) };
    const result = await probeOnce(method, timeoutMs, gone());
    if (result.kind === "healthy") return { kind: "answered", status: 200, body: Buffer.alloc(0) };
    return { kind: "failed", reason: result.reason };
  }

  #told(path: string, outcome: Outcome): Answer {
    const isGood = outcome.kind === "answered" && outcome.status < 400;
    this.#probes.inc({ result: isGood ? "success" : "failure" });
    const reason = outcome.kind === "failed" ? outcome.reason : `it answered ${outcome.status}`;
    if (!isGood && !this.#failing.has(path)) {
      this.#failing.add(path);
      this.#log.warn("a probe of the application fails", { path, reason });
    } else if (isGood && this.#failing.delete(path)) {
      this.#log.info("a probe of the application succeeds again", { path });
    }
    if (outcome.kind === "failed") return text(500, `${reason}\n`);
    return { kind: "bytes", status: outcome.status, bytes: outcome.body };
  }
}

/** A redirect is a success, whose body is not passed on. */
async function asHttp(
  ask: (signal: AbortSignal) => Promise<HttpReply>,
  timeoutMs: number,
  gone: AbortSignal,
): Promise<Outcome> {
  using limit = new Deadline(timeoutMs);
  try {
    const { status, body } = await ask(AbortSignal.any([limit.signal, gone]));
    if (status >= 300 && status < 400) return { kind: "answered", status: 200, body: Buffer.alloc(0) };
    // A status that HTTP does not have cannot be passed on.
    if (status < 200 || status > 599) return { kind: "failed", reason: `it answered ${status}` };
    return { kind: "answered", status, body };
  } catch (error) {
    const reason = limit.signal.aborted ? `no answer within ${timeoutMs} ms` : errorMessage(error);
    return { kind: "failed", reason };
  }
}
