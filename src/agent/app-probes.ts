/**
 * Probes of the application, which are loaded with the first that comes.
 */
import type { AppProbesOptions } from "../app-probes/options.ts";
import type { AppProbes, AppProbesDependencies } from "../app-probes/app-probes.ts";
import type { AppProbesParts } from "../app-probes/route.ts";
import { loadedOnce } from "../lifecycle/loaded-once.ts";

/** @param options undefined has none */
export function applicationProbes(
  options: AppProbesOptions | undefined,
  { log, metrics }: AppProbesDependencies,
): AppProbesParts["probeApplication"] {
  if (options === undefined) return () => Promise.resolve(undefined);
  const load = loadedOnce(async (): Promise<AppProbes> => {
    const { AppProbes: Loaded } = await import("../app-probes/app-probes.ts");
    return new Loaded(options, { log, metrics: metrics.withPrefix("outrider_") });
  });
  return async (asked) => {
    if (!options.probers.has(asked.path)) return undefined;
    return (await load()).answer(asked);
  };
}
