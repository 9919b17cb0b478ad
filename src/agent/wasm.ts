/**
 * Wasm modules for the ADS proxy: the seam that it declares, filled when the first configuration needs it.
 */
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { WasmOptions } from "../wasm/options.ts";
import type { ExtensionRewriter } from "../xdsproxy/handlers/extension-rewriter.ts";

/** Loads once; most agents never do. */
export function wasmLoader(
  options: WasmOptions,
  { log, metrics, tasks }: { readonly log: Logger; readonly metrics: Metrics; readonly tasks: TaskGroup },
): () => Promise<ExtensionRewriter> {
  let loaded: Promise<ExtensionRewriter> | undefined;
  const load = async (): Promise<ExtensionRewriter> => {
    const { WasmExtensions } = await import("../wasm/wasm-extensions.ts");
    const extensions = await WasmExtensions.open(options, log, metrics);
    tasks.spawn("purge-wasm-modules", (signal) => extensions.run(signal));
    return extensions;
  };
  return () => (loaded ??= load());
}
