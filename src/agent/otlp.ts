/**
 * The agent's own telemetry on its way to an OTLP endpoint: OpenTelemetry's SDK is loaded where there is one.
 */
import { untilLive } from "../envoy/supervision/serving.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import { otlpMetrics } from "../otlp/metrics.ts";
import type { OtlpOptions } from "../otlp/options.ts";
import { isHarmlessHeader } from "../telemetry/header-lists.ts";
import type { OtlpExporter } from "../otlp/exporter.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import type { EndedSpan, SpanSink } from "../telemetry/spans.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";

/** What it works with. */
export interface OtlpParts {
  /** Of this release. */
  readonly version: string;
  readonly metrics: Metrics;
  readonly redactor: Redactor;
  readonly log: Logger;
}

/** Spans go somewhere, until it is disposed. */
export interface RunningOtlp extends AsyncDisposable {
  readonly spans: SpanSink;
  /** Load the SDK, once what Envoy needs is done: spans that end before are kept for it. */
  load(): Promise<void>;
  /** The agent has started: until now whatever ended was part of its start. */
  started(): void;
}

/** Headers that say where telemetry belongs: their values are words that stand in much else. */
const tellsOwner = /(?:^|[-_])(?:dataset|org-?id|tenant(?:-?id)?|project(?:-?id)?|environment|namespace)$/i;

/** The value of a header, unless it is known to be none. */
function secretOf([name, value]: readonly [string, string]): readonly string[] {
  return tellsOwner.test(name) || isHarmlessHeader(name) ? [] : [value];
}

/** Undefined where telemetry goes nowhere. */
export function startOtlp(
  options: OtlpOptions | undefined,
  { version, metrics, redactor, log }: OtlpParts,
): RunningOtlp | undefined {
  if (options === undefined) return undefined;
  for (const target of [options.traces, options.metrics])
    redactor.learn(Object.entries(target?.headers ?? {}).flatMap(secretOf));
  const report = otlpMetrics(metrics.withPrefix("outrider_"));
  const make = async (): Promise<OtlpExporter> => {
    const { OtlpExporter } = await import("../otlp/exporter.ts");
    const exporter = new OtlpExporter(options, {
      ...{ version, log },
      // Names are the agent's own.
      families: async () =>
        (await metrics.families()).map((family) => ({ ...redactor.json(family), name: family.name })),
      redact: (text) => redactor.all(text),
      metrics: report,
    });
    exporter.starting("agent.start");
    return exporter;
  };
  return new LateOtlp(make);
}

/** Takes spans from the beginning, loaded or not. */
class LateOtlp implements RunningOtlp {
  readonly #make: () => Promise<OtlpExporter>;
  #loading: Promise<OtlpExporter> | undefined;
  #exporter: OtlpExporter | undefined;
  #early: EndedSpan[] = [];
  #isStarted = false;

  constructor(make: () => Promise<OtlpExporter>) {
    this.#make = make;
  }

  readonly spans: SpanSink = (span) => {
    if (this.#exporter === undefined) this.#early.push({ endedAt: performance.now(), ...span });
    else this.#exporter.take(span);
  };

  async load(): Promise<void> {
    await (this.#loading ??= this.#load());
  }

  started(): void {
    this.#isStarted = true;
    this.#exporter?.started();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load();
    await this.#exporter?.[Symbol.asyncDispose]();
  }

  async #load(): Promise<OtlpExporter> {
    const exporter = await this.#make();
    for (const span of this.#early) exporter.take(span);
    this.#early = [];
    if (this.#isStarted) exporter.started();
    this.#exporter = exporter;
    return exporter;
  }
}

/** Resolves when an Envoy is proven, or the first certificate is there where no Envoy is to run; or at the abort. */
export async function agentStarted(
  envoy: Pick<SupervisedEnvoy, "supervisor"> | undefined,
  identity: Pick<SecretManager, "state">,
  signal: AbortSignal,
): Promise<void> {
  if (envoy !== undefined) await untilLive(envoy.supervisor.report.state, signal);
  else for await (const { secret } of identity.state.changes(signal)) if (secret !== undefined) return;
}
