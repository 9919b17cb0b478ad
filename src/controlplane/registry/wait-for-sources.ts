/**
 * A start waits until every source has said what it has: half of a mesh would take from proxies what they still need, while
 * one that is served nothing keeps what it has.
 */
import type { Logger } from "../../telemetry/log.ts";
import { describeConfigProblem } from "../config/problem.ts";
import type { ConfigSource } from "./source.ts";

/** Resolves once all have been read, or when `signal` aborts; why it takes longer is told, each reason once. */
export async function waitForSources(
  sources: readonly ConfigSource[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    sources.map(async ({ name, states }) => {
      const told = new Set<string>();
      for await (const state of states.changes(signal)) {
        if (state.kind === "read") return;
        const reason = state.problems.map(describeConfigProblem).join("; ");
        if (reason === "" || told.has(reason)) continue;
        told.add(reason);
        log.error("the control plane waits for a registry, whose services it does not know yet", {
          registry: name,
          reason,
        });
      }
    }),
  );
}
