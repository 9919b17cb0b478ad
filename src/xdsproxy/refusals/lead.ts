/**
 * What an Envoy is given before a response of the control plane that an Envoy before it has refused: the same response
 * with what was last accepted in the place of what was refused. Pure.
 */
import type { WireResource } from "../../xds/wire-resource.ts";
import type { AcceptedType } from "../cache/accepted-resources.ts";
import type { ResponseEntry } from "./refused-response.ts";

/** Its content. */
export interface LeadResources {
  /** Names of `due` of which there is an accepted one to give. */
  readonly given: ReadonlySet<string>;
  readonly resources: readonly WireResource[];
}

/** Names of a response that were refused before, and have been neither led nor refused on this stream. */
export function namesDue(
  entries: readonly Pick<ResponseEntry, "name">[],
  refused: ReadonlySet<string>,
  seen: ReadonlySet<string>,
): ReadonlySet<string> {
  return new Set(entries.flatMap(({ name }) => (refused.has(name) && !seen.has(name) ? [name] : [])));
}

/** Undefined when nothing is left to give. */
export function leadOf(
  entries: readonly Pick<ResponseEntry, "name" | "resource">[],
  due: ReadonlySet<string>,
  known: Pick<AcceptedType, "get">,
): LeadResources | undefined {
  const resources = entries.flatMap(({ name, resource }) =>
    due.has(name) ? (known.get(name) ?? []) : [resource()],
  );
  if (resources.length === 0) return undefined;
  return { given: new Set([...due].filter((name) => known.get(name) !== undefined)), resources };
}
