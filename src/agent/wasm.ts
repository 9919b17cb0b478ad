/**
 * Extension configurations on their way to Envoy (ECDS), which cannot fetch a Wasm module from a registry: the agent
 * does it, and names a file instead.
 */
import { loadedOnce } from "../lifecycle/loaded-once.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { holdsPullSecret, mayHoldWasm } from "../wasm/marks.ts";
import type { WasmOptions } from "../wasm/options.ts";
import type { ResourceHandler, ResourceRewriter } from "../xdsproxy/handlers/resource-handler.ts";

/** @param load undefined leaves remote modules to Envoy */
export function extensionHandler(load: (() => Promise<ResourceRewriter>) | undefined): ResourceHandler {
  const rewriting = load === undefined ? undefined : { concerns: mayHoldWasm, load };
  return { kind: "relay", holdsSecret: holdsPullSecret, rewriting };
}

/** Loads once; most agents never do. */
export function wasmLoader(
  options: WasmOptions,
  { log, metrics, tasks }: { readonly log: Logger; readonly metrics: Metrics; readonly tasks: TaskGroup },
): () => Promise<ResourceRewriter> {
  return loadedOnce(async (): Promise<ResourceRewriter> => {
    const { WasmExtensions } = await import("../wasm/wasm-extensions.ts");
    const extensions = await WasmExtensions.open(options, log, metrics);
    tasks.spawn("purge-wasm-modules", (signal) => extensions.run(signal));
    return extensions;
  });
}
