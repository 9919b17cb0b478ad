/** Filter chains of one listener that match the same. */
import type { FilterChainJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";

/** Envoy refuses a listener in which two chains match the same: the older service keeps it. */
export function withoutRivals(chains: readonly FilterChainJson[]): readonly FilterChainJson[] {
  const taken = new Set<string>();
  return chains.flatMap((chain): readonly FilterChainJson[] => {
    const { prefixRanges: ranges = [{}], serverNames: names = [""] } = chain.filterChainMatch ?? {};
    const key = (name: string, range: object): string => `${name} ${JSON.stringify(range)}`;
    // A pair of name and range is taken, not the lists that they stand in.
    const isFree = (name: string, range: object): boolean => !taken.has(key(name, range));
    const freeRanges = ranges.filter((range) => names.every((name) => isFree(name, range)));
    const freeNames = names.filter((name) => ranges.every((range) => isFree(name, range)));
    if (freeRanges.length + freeNames.length === 0) return [];
    const [keptNames, keptRanges] = freeRanges.length > 0 ? [names, freeRanges] : [freeNames, ranges];
    for (const name of keptNames) for (const range of keptRanges) taken.add(key(name, range));
    if (keptNames.length === names.length && keptRanges.length === ranges.length) return [chain];
    return [
      {
        ...chain,
        filterChainMatch: {
          ...chain.filterChainMatch,
          ...(keptRanges.length === ranges.length ? {} : { prefixRanges: keptRanges }),
          ...(keptNames.length === names.length ? {} : { serverNames: keptNames }),
        },
      },
    ];
  });
}
