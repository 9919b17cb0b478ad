/**
 * Where Istio's charts and its first releases have settings that an IstioOperatorSpec has elsewhere. Pure.
 */
import { at } from "../../../lifecycle/json-path.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import { isMapping } from "../../../document/mapping.ts";
import { overlaid } from "./overlay.ts";
import { systemNamespace } from "./schema.ts";

/** A setting of a chart and where it goes; undefined for one that has one value only. */
const moved: readonly (readonly [from: string, to: string])[] = [
  ["values.global.hub", "hub"],
  ["values.global.tag", "tag"],
  ["values.revision", "revision"],
  ["values.meshConfig", "meshConfig"],
  ["values.pilot.replicaCount", "components.pilot.k8s.replicaCount"],
  ["values.pilot.resources", "components.pilot.k8s.resources"],
  ["values.pilot.nodeSelector", "components.pilot.k8s.nodeSelector"],
  ["values.pilot.env", "components.pilot.k8s.env"],
];

/** Gateways of the charts, and 1.5's own switches. */
const gatewaySwitches: readonly (readonly [from: string, list: string, name: string])[] = [
  ["values.gateways.istio-ingressgateway.enabled", "ingressGateways", "istio-ingressgateway"],
  ["values.gateways.istio-egressgateway.enabled", "egressGateways", "istio-egressgateway"],
];

/** The same specification with each setting where this program looks for it. @param refuse is told what has one value only */
export function inOwnPlaces(spec: JsonObject, refuse: (path: string, message: string) => void): JsonObject {
  let result: Json = spec;
  const move = (from: string, make: (value: Json) => Json): void => {
    const value = at(result, ...from.split("."));
    if (value === undefined || value === null) return;
    result = without(result, from.split("."));
    // What is said at its own place is said last.
    result = overlaid(make(value as Json), result);
  };
  for (const [from, to] of moved)
    move(from, (value) =>
      to
        .split(".")
        .reduceRight<Json>(
          (inner, name) => ({ [name]: inner }),
          from.endsWith(".env") ? environment(value) : value,
        ),
    );
  for (const [from, list, name] of gatewaySwitches)
    move(from, (enabled) => ({ components: { [list]: [{ name, enabled }] } }));
  for (const path of ["namespace", "values.global.istioNamespace"]) {
    const namespace = at(result, ...path.split("."));
    if (namespace !== undefined && namespace !== systemNamespace)
      refuse(
        path,
        `must be ${systemNamespace}: the control plane's certificate has no name in another namespace`,
      );
    result = without(result, path.split("."));
  }
  return result as JsonObject;
}

/** The charts have a mapping, Kubernetes a list. */
function environment(value: Json): Json {
  return isMapping(value)
    ? Object.entries(value).map(([name, held]) => ({
        name,
        value: typeof held === "string" ? held : JSON.stringify(held),
      }))
    : value;
}

/** Without the field at `path`, and without mappings that are empty then. */
function without(value: Json, [name = "", ...rest]: readonly string[]): Json {
  if (!isMapping(value) || !Object.hasOwn(value, name)) return value;
  const { [name]: held, ...others } = value;
  if (rest.length === 0) return others;
  const inner = without(held ?? null, rest);
  return isMapping(inner) && Object.keys(inner).length === 0 ? others : { ...others, [name]: inner };
}
