/**
 * A kind of objects in a cluster, and where its API has them.
 */
import { isMapping } from "../../document/mapping.ts";
import type { ApiObject } from "./api.ts";

/** Objects of one kind, all of them or those of one namespace or name. */
export interface Resource<T> {
  /** As the API has it in paths, such as `endpointslices`. */
  readonly plural: string;
  /** Empty for Kubernetes' first API. */
  readonly group: string;
  /** Those that can be read, the best first. */
  readonly versions: readonly string[];
  /** Undefined for all namespaces. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** The cluster may not know the kind: then there are none of it. */
  readonly isOptional?: true;
  /** They may be not for us to see: then there are none of it. */
  readonly mayBeRefused?: true;
  /** What is kept of an object, so that a cluster of many is little memory; undefined for one that counts for nothing. */
  readonly keep: (object: ApiObject, meta: ObjectMeta) => T | undefined;
}

/** Of the metadata of an object what everybody needs. */
export interface ObjectMeta {
  readonly name: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds; undefined where it is not said. */
  readonly createdAtMs: number | undefined;
}

/** Undefined for what is no object of the API. */
export function metaOf({ metadata }: ApiObject): ObjectMeta | undefined {
  if (!isMapping(metadata)) return undefined;
  const { name, resourceVersion } = metadata;
  if (typeof name !== "string" || typeof resourceVersion !== "string") return undefined;
  const created = Date.parse(textOf(metadata["creationTimestamp"]));
  return {
    name,
    namespace: textOf(metadata["namespace"]),
    uid: textOf(metadata["uid"]),
    resourceVersion,
    labels: textsOf(metadata["labels"]),
    annotations: textsOf(metadata["annotations"]),
    createdAtMs: Number.isNaN(created) ? undefined : created,
  };
}

/** Text, else none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A mapping of text to text. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  const pairs = Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return Object.fromEntries(pairs);
}

/** A list of mappings; what else is in it counts for nothing. */
export function mappingsOf(value: unknown): readonly ApiObject[] {
  return Array.isArray(value) ? (value as readonly unknown[]).filter(isMapping) : [];
}

/** A mapping, an empty one where there is none. */
export function mappingOf(value: unknown): ApiObject {
  return isMapping(value) ? value : {};
}

/** Where the API has objects of this kind. */
export function collectionPath(
  { plural, group, namespace }: Pick<Resource<unknown>, "plural" | "group" | "namespace">,
  version: string,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}`;
}

/** As the API has a kind in paths (English, as API conventions have it). */
export function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return /(?:s|x|ch)$/.test(name) ? `${name}es` : `${name}s`;
}
