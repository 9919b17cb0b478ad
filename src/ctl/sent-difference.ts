/**
 * What a control plane sent to a proxy, compared with what the proxy's Envoy has. Pure but for the name of who is asked.
 */
import { stringify } from "yaml";
import { unifiedDiff } from "../plan/diff.ts";
import type { ConfigDump, DumpedKind, DumpedResource } from "./proxy/config-dump.ts";

/** One kind of resource on both sides. */
export interface Comparison {
  /** `Clusters`. */
  readonly title: string;
  /** Lines of a unified diff from what was sent to what Envoy has; none when both are the same. */
  readonly diff: readonly string[];
  /** When Envoy last took one of them; undefined where it says nothing. */
  readonly lastUpdated: string | undefined;
}

const compared: readonly (readonly [kind: DumpedKind, title: string])[] = [
  ["cluster", "Clusters"],
  ["listener", "Listeners"],
  ["route", "Routes"],
  ["endpoint", "Endpoints"],
];

/** Kinds that the control plane says nothing of are left out: a real istiod's dump has no endpoints. */
export function sentDifference(sent: ConfigDump, has: ConfigDump, proxy: string): readonly Comparison[] {
  return compared.flatMap(([kind, title]) => {
    const given = sent[kind].filter(({ isDynamic }) => isDynamic);
    if (given.length === 0 && kind === "endpoint") return [];
    // Endpoints of static clusters, and of those of the bootstrap, are nobody's to send.
    const names = new Set(given.map(({ name }) => name));
    const own = has[kind].filter(
      ({ name, isDynamic }) => isDynamic && (kind !== "endpoint" || names.has(name)),
    );
    return [
      {
        title,
        diff: unifiedDiff(
          { name: `control plane ${title}`, text: documents(kind, given) },
          { name: `${proxy} ${title}`, text: documents(kind, own) },
        ),
        lastUpdated: own
          .flatMap(({ lastUpdated = [] }) => lastUpdated)
          .toSorted()
          .at(-1),
      },
    ];
  });
}

/** In istioctl's words. */
export function comparisonLines(comparisons: readonly Comparison[]): readonly string[] {
  return comparisons.flatMap(({ title, diff, lastUpdated }) =>
    diff.length > 0
      ? [`${title} Don't Match`, ...diff]
      : [`${title} Match${lastUpdated === undefined ? "" : ` (last loaded at ${lastUpdated})`}`],
  );
}

/** Resources by name, their fields by name. */
function documents(kind: DumpedKind, resources: readonly DumpedResource[]): string {
  return resources
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ json }) => (kind === "endpoint" ? withoutDefaults(json) : json))
    .map((json) => stringify(json, { sortMapEntries: true, aliasDuplicateObjects: false, lineWidth: 0 }))
    .join("---\n");
}

/** Envoy builds endpoints anew for its dump, and writes out what nobody has set. */
const written: readonly (readonly [field: string, value: string])[] = [
  ["policy", '{"overprovisioning_factor":140}'],
  ["health_check_config", "{}"],
  ["health_status", '"HEALTHY"'],
  ["locality", "{}"],
];

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name, part]) => !written.some(([field, text]) => name === field && JSON.stringify(part) === text),
      )
      .map(([name, part]) => [name, withoutDefaults(part)]),
  );
}
