/** To which providers a workload's accesses are told, and which of them: Istio's rules of Telemetry's accessLogging. */
import type { TelemetrySpec } from "../../config/objects.ts";

/** On which side of a connection a workload is. */
export type Side = "CLIENT" | "SERVER";

/** What a provider is told. */
export interface ProviderLog {
  /** In CEL; everything when undefined. */
  readonly expression: string | undefined;
}

type AccessLogging = NonNullable<TelemetrySpec["accessLogging"]>[number];

/**
 * By the provider's name.
 *
 * @param levels of each Telemetry that applies, from the widest to the closest
 * @param defaults the providers of the mesh
 */
export function mergeLogs(
  levels: readonly (readonly AccessLogging[])[],
  defaults: readonly string[],
  side: Side,
): ReadonlyMap<string, ProviderLog> {
  if (levels.length === 0) return new Map(defaults.map((name) => [name, { expression: undefined }]));
  const expressions = new Map<string, string | undefined>();
  let inScope: ReadonlySet<string> = new Set(defaults);
  for (const level of levels) {
    const named = new Set<string>();
    for (const entry of level.filter(({ match }) => isForSide(match?.mode, side)))
      for (const { name } of entry.providers ?? []) {
        named.add(name);
        expressions.set(name, entry.filter?.expression);
      }
    // Closer Telemetries that name providers take the place of all wider ones'.
    if (named.size > 0) inScope = named;
  }
  const logs = new Map<string, ProviderLog>();
  let inherited = defaults;
  for (const entry of levels.flat()) {
    const names = entry.providers?.map(({ name }) => name) ?? [];
    if (names.length > 0) inherited = names;
    if (!isForSide(entry.match?.mode, side)) continue;
    for (const name of inherited.filter((each) => inScope.has(each))) {
      if (entry.disabled === true) logs.delete(name);
      else logs.set(name, { expression: expressions.get(name) });
    }
  }
  return logs;
}

/** An entry is for both sides unless it says one. */
export function isForSide(mode: "CLIENT_AND_SERVER" | Side | undefined, side: Side): boolean {
  return mode === undefined || mode === "CLIENT_AND_SERVER" || mode === side;
}
