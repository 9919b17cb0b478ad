/**
 * Envoy's starts and swaps as spans, for as long as somebody traces them.
 */
import type { Generation } from "../envoy/generation/generation.ts";
import type { SupervisorOptions } from "../envoy/supervision/options.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { EndedSpan, SpanSink } from "../telemetry/spans.ts";

/** @param observer sees every generation too */
export function withEnvoySpans(
  observer: SupervisorOptions["observer"],
  spans: ReadonlyWatch<SpanSink | undefined>,
): Pick<SupervisorOptions, "observer" | "onSwapEnd"> {
  /** Numbers of those that have not been proven yet. */
  const starting = new Set<number>();
  const start = (generation: Generation, error?: string): void => {
    if (starting.delete(generation.number)) spans.current?.(startSpan(generation, error));
  };
  return {
    observer: {
      started: (generation) => {
        starting.add(generation.number);
        observer.started(generation);
      },
      proven: (generation) => {
        start(generation);
        observer.proven(generation);
      },
      ending: (generation, occasion) => {
        observer.ending(generation, occasion);
      },
      ended: (generation, diagnosis, lines) => {
        start(generation, diagnosis.message);
        observer.ended(generation, diagnosis, lines);
      },
    },
    onSwapEnd: ({ mode, report, trigger, requestedAt }) => {
      spans.current?.({
        name: "envoy.swap",
        startedAt: requestedAt,
        attributes: {
          "outrider.swap.mode": mode,
          "outrider.swap.result": report.result,
          "outrider.swap.trigger": trigger,
          ...("generation" in report ? { "outrider.generation": report.generation } : {}),
          ...("stage" in report ? { "outrider.swap.stage": report.stage } : {}),
        },
        error: report.result === "refused" ? report.reason : undefined,
      });
    },
  };
}

/** From the start of the process to the proof that it serves, or to its end. */
function startSpan({ number, pid, startedAt }: Generation, error: string | undefined): EndedSpan {
  const process = pid === undefined ? {} : { "process.pid": pid };
  return {
    name: "envoy.start",
    startedAt,
    attributes: { "outrider.generation": number, ...process },
    error,
  };
}
