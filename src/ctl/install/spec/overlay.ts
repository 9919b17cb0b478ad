/**
 * One specification laid over another: mappings are joined, whatever else there is takes the place of what was. Gateways are
 * joined by their names, or by their place where one has none, as `--set` writes it. Pure.
 */
import { isMapping } from "../../../document/mapping.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";

/** Lists whose items have names. */
const named: readonly string[] = ["components.ingressGateways", "components.egressGateways"];

/** How lists are laid over each other: those of gateways always by names. */
export type Lists =
  /** The one takes the place of the other. */
  | "whole"
  /** The items at the same place are joined, as `--set a[0].b=c` means it. */
  | "by-place";

/** @param path of both, such as `components.pilot` */
export function overlaid(
  under: Json | undefined,
  over: Json | undefined,
  lists: Lists = "whole",
  path = "",
): Json {
  if (over === undefined || over === null) return under ?? null;
  if (Array.isArray(under) && Array.isArray(over) && (lists === "by-place" || named.includes(path)))
    return overlaidItems(under as readonly Json[], over as readonly Json[], lists);
  if (!isObject(under) || !isObject(over)) return over;
  const names = new Set([...Object.keys(under), ...Object.keys(over)]);
  const fields = [...names].map((name) => [
    name,
    overlaid(under[name], over[name], lists, path === "" ? name : `${path}.${name}`),
  ]);
  return Object.fromEntries(fields) as JsonObject;
}

/** What is to be laid over `under` for `over` to come of it, where that was laid over `under` itself. */
export function difference(under: JsonObject, over: JsonObject, path = ""): JsonObject {
  const fields = Object.entries(over).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    const was = under[name];
    if (JSON.stringify(was) === JSON.stringify(value)) return [];
    const at = path === "" ? name : `${path}.${name}`;
    if (named.includes(at) && Array.isArray(was) && Array.isArray(value))
      return [[name, itemsDifference(was as readonly Json[], value as readonly Json[])]];
    return [[name, isObject(was) && isObject(value) ? difference(was, value, at) : value]];
  });
  return Object.fromEntries(fields);
}

function itemsDifference(under: readonly Json[], over: readonly Json[]): readonly Json[] {
  return over.flatMap((item): readonly Json[] => {
    const name = nameIn(item);
    const was = under.find((other) => name !== undefined && nameIn(other) === name);
    if (!isObject(was) || !isObject(item)) return [item];
    const changes = difference(was, item);
    return Object.keys(changes).length === 0 ? [] : [{ name: name ?? null, ...changes }];
  });
}

function overlaidItems(under: readonly Json[], over: readonly Json[], lists: Lists): readonly Json[] {
  const result = [...under];
  for (const [index, item] of over.entries()) {
    const name = lists === "by-place" ? undefined : nameIn(item);
    const same = name === undefined ? index : result.findIndex((other) => nameIn(other) === name);
    // A place that is left open in a list, as in `[1].enabled`.
    if (item === null) continue;
    if (same < 0 || same >= result.length) result.push(item);
    else result[same] = overlaid(result[same], item, lists);
  }
  return result;
}

function nameIn(item: Json | undefined): string | undefined {
  const name = isObject(item) ? item["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return isMapping(value);
}
