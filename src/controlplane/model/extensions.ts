/**
 * Filters that Envoy does not have, as TrafficExtensions and WasmPlugins bring them: which apply to a workload, and where. Pure.
 */
import { createHash } from "node:crypto";
import type { ConfigObject, TrafficExtensionSpec } from "../config/objects.ts";
import type { Proxy } from "./proxy.ts";
import type { Selecting } from "../config/rules/selection.ts";
import { applyingPolicies, type Model, type Scoped, type Selectable } from "./model.ts";

/** One of them. */
export interface TrafficExtension extends Scoped<TrafficExtensionSpec & Selecting> {
  /** As filters and extension configurations (ECDS) are named. */
  readonly resourceName: string;
  /** Changes with what it says: the agent asks for an image again that is to be pulled always. */
  readonly version: string;
}

/** When a filter has its turn; what says nothing comes last. */
export type Phase = "AUTHN" | "AUTHZ" | "STATS" | "UNSPECIFIED";

/** All of them, in their order. */
export const phases: readonly Phase[] = ["AUTHN", "AUTHZ", "STATS", "UNSPECIFIED"];

/** Traffic that passes a listener. */
export interface ExtendedTraffic {
  /** Of the service that is called, or where the workload is called; 0 for ports that nothing declares. */
  readonly port: number;
  /** Gateways call. */
  readonly side: "CLIENT" | "SERVER";
  /** Filters of requests, or of connections. */
  readonly layer: "http" | "network";
}

type Written = Extract<ConfigObject, { kind: "WasmPlugin" | "TrafficExtension" }>;

/** What ends the name that a WasmPlugin has in Envoy, as in Istio: no object is called so. */
const translated = "~istio-translated-wasmplugin";

/** Istio's name of an extension in Envoy. */
export function extensionName({
  kind,
  namespace,
  name,
}: Pick<Written, "kind" | "namespace" | "name">): string {
  return `extensions.istio.io/trafficextension/${namespace}.${nameOf({ kind, name })}`;
}

function nameOf({ kind, name }: Pick<Written, "kind" | "name">): string {
  return kind === "WasmPlugin" ? `${name}${translated}` : name;
}

/** As the model has it. */
export function trafficExtension(object: Written): TrafficExtension {
  const { namespace } = object;
  const spec = specOf(object);
  return {
    name: nameOf(object),
    namespace,
    resourceName: extensionName(object),
    version: createHash("sha256").update(JSON.stringify(spec)).digest("base64url").slice(0, 16),
    spec,
  };
}

function specOf(object: Written): TrafficExtension["spec"] {
  if (object.kind === "TrafficExtension") return object.spec;
  const {
    selector,
    targetRef,
    targetRefs,
    phase = "UNSPECIFIED_PHASE",
    priority,
    match,
    ...wasm
  } = object.spec;
  return {
    selector,
    targetRef,
    targetRefs,
    phase: phase === "UNSPECIFIED_PHASE" ? "UNSPECIFIED" : phase,
    priority,
    match,
    wasm,
  };
}

/**
 * Those of the workload's namespace, then those of the root namespace, each by age; but first by priority, from the highest down,
 * with those last that have none.
 */
export function extensionsFor(
  model: Pick<Model, "settings" | "extensions">,
  workload: Selectable,
): readonly TrafficExtension[] {
  const applying = applyingPolicies(model, model.extensions, workload);
  const isOther = ({ namespace }: TrafficExtension): number => (namespace === workload.namespace ? 0 : 1);
  return applying.toSorted((a, b) => priorityOf(b) - priorityOf(a) || isOther(a) - isOther(b));
}

/** No number is lower. */
function priorityOf({ spec }: TrafficExtension): number {
  return spec.priority ?? -2_147_483_648;
}

/** Whether one may have anything to do with a proxy of this kind: gateways call only. */
export function isForProxy(
  { spec: { match = [] } }: TrafficExtension,
  { type }: Pick<Proxy, "type">,
): boolean {
  return type !== "router" || match.length === 0 || match.some(({ mode }) => mode !== "SERVER");
}

/** Whether one has anything to do with the traffic. */
export function isForTraffic({ spec }: TrafficExtension, { port, side, layer }: ExtendedTraffic): boolean {
  if ((spec.wasm?.type === "NETWORK") !== (layer === "network")) return false;
  const { match = [] } = spec;
  return (
    match.length === 0 ||
    match.some(
      ({ mode = "UNDEFINED", ports = [] }) =>
        (mode === "UNDEFINED" || mode === "CLIENT_AND_SERVER" || mode === side) &&
        (ports.length === 0 || ports.some(({ number }) => number === port)),
    )
  );
}
