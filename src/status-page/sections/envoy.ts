/** The Envoy that serves, those before it, and what another one waits for. */
import { describeSwap } from "../../status/contract/reload-report.ts";
import type { EnvoyReport, GenerationReport } from "../../status/contract/agent-report.ts";
import { html } from "../html.ts";
import type { PageView } from "../view.ts";
import { facts, moment, type Section, table } from "./parts.ts";
import { timeLine } from "./time-line.ts";

/** Nothing of it without an Envoy. */
export function envoySection({ report: { envoy }, now }: PageView): Section {
  if (envoy === undefined)
    return {
      id: "envoy",
      name: "Envoy",
      body: html`<h2>Envoy</h2>
        <p class="none">None is to run (DISABLE_ENVOY).</p>`,
    };
  const generations = envoy.generations ?? [];
  return {
    id: "envoy",
    name: "Envoy",
    body: html`<h2>Envoy</h2>
      ${facts([
        ["state", envoy.state],
        ["problem", envoy.problem],
        ["generation", envoy.generation],
        ["pid", envoy.pid],
        ["version", envoy.version],
        ["restarts", envoy.restarts],
        ["a swap waits for", envoy.swapWaitsFor],
        [
          "last swap",
          envoy.lastSwap === undefined
            ? undefined
            : html`${envoy.lastSwap.trigger}: ${describeSwap(envoy.lastSwap.report)},
              ${moment(envoy.lastSwap.at, now)}`,
        ],
        ["open connections", connectionsText(envoy)],
      ])}
      ${timeLine(generations, now)}
      ${table(
        "Generations",
        ["generation", "pid", "started", "now", "end"],
        generations
          .toReversed()
          .map((generation) => [
            generation.generation,
            generation.pid,
            moment(generation.startedAt, now),
            generation.end === undefined ? (generation.phases.at(-1)?.kind ?? "") : "ended",
            endText(generation, now),
          ]),
        "None has been started.",
      )}`,
  };
}

function endText({ end }: GenerationReport, now: Date): ReturnType<typeof html> | undefined {
  return end === undefined ? undefined : html`${end.message} (${moment(end.at, now)})`;
}

function connectionsText({ drainHeldUpBy }: EnvoyReport): string | undefined {
  if (drainHeldUpBy === undefined) return undefined;
  const listeners = Object.entries(drainHeldUpBy);
  return listeners.length === 0
    ? "none: nothing holds the drain up"
    : listeners.map(([listener, count]) => `${listener}: ${count}`).join(", ");
}
