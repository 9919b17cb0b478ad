/**
 * What a control plane sent to a proxy, compared with what the proxy's Envoy has. Pure but for the name of who is asked.
 */
import { isDeepStrictEqual } from "node:util";
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
        diff: differences(
          { name: `control plane ${title}`, values: valuesOf(kind, given) },
          { name: `${proxy} ${title}`, values: valuesOf(kind, own) },
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

/** What resources say, by name: a name may be there several times. */
type Values = ReadonlyMap<string, readonly unknown[]>;

interface Side {
  readonly name: string;
  readonly values: Values;
}

/** Steps that looking for the shortest differences may take in all: a second or two. */
const mostSteps = 4_000_000;

/** Resources are told apart by name first, so that only what differs is compared line by line. */
function differences(sent: Side, has: Side): readonly string[] {
  const names = [...new Set([...sent.values.keys(), ...has.values.keys()])].toSorted();
  const differing = names.filter(
    (name) => !isDeepStrictEqual(sent.values.get(name) ?? [], has.values.get(name) ?? []),
  );
  const maxEdits = Math.min(1_000, Math.max(20, Math.floor(Math.sqrt(mostSteps / differing.length))));
  return differing.flatMap((name) => {
    const side = ({ name: title, values }: Side): { readonly name: string; readonly text: string } => ({
      name: `${title} ${name}`,
      text: (values.get(name) ?? []).map(documentOf).join("---\n"),
    });
    return unifiedDiff(side(sent), side(has), maxEdits);
  });
}

function valuesOf(kind: DumpedKind, resources: readonly DumpedResource[]): Values {
  const values = Map.groupBy(resources, ({ name }) => name);
  return new Map(
    [...values].map(([name, own]) => [
      name,
      own.map(({ json }) => (kind === "endpoint" ? withoutDefaults(json) : json)),
    ]),
  );
}

/** Its fields by name. */
function documentOf(value: unknown): string {
  return stringify(value, { sortMapEntries: true, aliasDuplicateObjects: false, lineWidth: 0 });
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
