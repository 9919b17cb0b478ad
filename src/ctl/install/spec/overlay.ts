/**
 * One specification laid over another: mappings are joined, whatever else there is takes the place of what was. Gateways are
 * joined by their names, or by their place where one has none, as `--set` writes it. Pure.
 */
import { isMapping } from "../../../document/mapping.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";

/** Lists whose items have names. */
const named: readonly string[] = ["components.ingressGateways", "components.egressGateways"];

/** @param path of both, such as `components.pilot` */
export function overlaid(under: Json | undefined, over: Json | undefined, path = ""): Json {
  if (over === undefined || over === null) return under ?? null;
  if (Array.isArray(under) && Array.isArray(over) && named.includes(path))
    return overlaidItems(under as readonly Json[], over as readonly Json[]);
  if (!isObject(under) || !isObject(over)) return over;
  const names = new Set([...Object.keys(under), ...Object.keys(over)]);
  const fields = [...names].map((name) => [
    name,
    overlaid(under[name], over[name], path === "" ? name : `${path}.${name}`),
  ]);
  return Object.fromEntries(fields) as JsonObject;
}

function overlaidItems(under: readonly Json[], over: readonly Json[]): readonly Json[] {
  const result = [...under];
  for (const [index, item] of over.entries()) {
    const name = nameIn(item);
    const same = name === undefined ? index : result.findIndex((other) => nameIn(other) === name);
    // A place that is left open in a list, as in `[1].enabled`.
    if (item === null) continue;
    if (same < 0 || same >= result.length) result.push(item);
    else result[same] = overlaid(result[same], item);
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
