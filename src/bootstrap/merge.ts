/**
 * Merging as Envoy does with `--config-yaml`: mappings merge, lists append, everything else is replaced
 * (protobuf's MergeFrom, Envoy's command line documentation).
 */
import type { Json } from "./parameters.ts";

/** `base` overlaid by `overlay`; neither is changed. */
export function mergeBootstrap(base: Json, overlay: Json): Json {
  if (isList(base) && isList(overlay)) return [...base, ...overlay];
  if (!isMapping(base) || !isMapping(overlay)) return overlay;
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(overlay)) {
    const present = merged[key];
    merged[key] = present === undefined ? value : mergeBootstrap(present, value);
  }
  return merged;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMapping(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a mapping; an empty one when it is something else. */
export function asMapping(value: Json | undefined): { readonly [key: string]: Json } {
  return value !== undefined && isMapping(value) ? value : {};
}
