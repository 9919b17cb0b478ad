/**
 * How one kind of what a proxy has is shown: which of it, and its row of the table, in istioctl's words.
 */
import { textAt } from "../../../lifecycle/json-path.ts";
import type { ConfigDump, DumpedResource } from "../config-dump.ts";

/** What is to be shown; undefined fields let everything through. */
export interface Filters {
  readonly fqdn?: string | undefined;
  readonly port?: number | undefined;
  readonly subset?: string | undefined;
  readonly direction?: string | undefined;
  readonly address?: string | undefined;
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  readonly cluster?: string | undefined;
  readonly status?: string | undefined;
}

/** One kind. */
export interface View {
  readonly columns: readonly string[];
  /** Least number of spaces between columns. */
  readonly padding?: number;
  readonly select: (dump: ConfigDump, filters: Filters) => readonly DumpedResource[];
  readonly rows: (resource: DumpedResource, filters: Filters) => readonly (readonly string[])[];
}

/** `reviews.shop`, of the object that a resource was made from; empty where it does not say. */
export function ruleOf(json: unknown): string {
  const config = textAt(json, "metadata", "filter_metadata", "istio", "config") ?? "";
  const [, namespace, name] = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(config) ?? [];
  return namespace === undefined || name === undefined ? "" : `${name}.${namespace}`;
}

/** Less than zero, zero or more, as for `toSorted`: by the first key that differs. */
export function byKeys<T>(keysOf: (value: T) => readonly (string | number)[]): (a: T, b: T) => number {
  return (a, b) => {
    const [ofA, ofB] = [keysOf(a), keysOf(b)];
    for (const [index, key] of ofA.entries()) {
      const other = ofB[index] ?? "";
      if (key !== other) return key < other ? -1 : 1;
    }
    return 0;
  };
}
