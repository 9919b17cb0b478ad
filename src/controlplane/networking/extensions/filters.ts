/**
 * Extensions as filters of a listener, by the phase in which they have their turn. Scripts stand in the listener; modules come
 * by ECDS, and a listener is not served before they are there: they may be what keeps somebody out.
 */
import type { ExtensionConfigSourceJson } from "../../../proto/envoy/envoy/config/core/v3/config_source_pb.js";
import type { FilterJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import { LuaSchema } from "../../../proto/envoy/envoy/extensions/filters/http/lua/v3/lua_pb.js";
import { RBACSchema as HttpRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { WasmSchema as HttpWasmSchema } from "../../../proto/envoy/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../../../proto/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { WasmSchema as NetworkWasmSchema } from "../../../proto/envoy/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import {
  type ExtendedTraffic,
  isForTraffic,
  type Phase,
  phases,
  type TrafficExtension,
} from "../../model/extensions.ts";
import { packed, typeUrlOf } from "../any.ts";
import type { HttpFilter } from "../filters.ts";

/** Filters of requests and of connections, by phase. */
export interface ExtensionFilters {
  readonly http: (phase: Phase) => readonly HttpFilter[];
  readonly network: (phase: Phase) => readonly FilterJson[];
}

/** Those of the workload that have to do with traffic of this port. */
export function extensionFilters(
  extensions: readonly TrafficExtension[],
  traffic: Omit<ExtendedTraffic, "layer">,
): ExtensionFilters {
  const found = (phase: Phase, layer: ExtendedTraffic["layer"]): readonly TrafficExtension[] =>
    extensions.filter(
      (each) => (each.spec.phase ?? "UNSPECIFIED") === phase && isForTraffic(each, { ...traffic, layer }),
    );
  return {
    http: (phase) => found(phase, "http").map(httpFilter),
    network: (phase) => found(phase, "network").map(networkFilter),
  };
}

/** All phases, one behind the other. */
export function everyPhase<Filter>(filters: (phase: Phase) => readonly Filter[]): readonly Filter[] {
  return phases.flatMap(filters);
}

function httpFilter({ resourceName, spec: { lua } }: TrafficExtension): HttpFilter {
  if (lua === undefined)
    return { name: resourceName, configDiscovery: discovered(HttpWasmSchema, HttpRbacSchema) };
  return {
    name: resourceName,
    typedConfig: packed(LuaSchema, { defaultSourceCode: { inlineString: lua.inlineCode } }),
  };
}

function networkFilter({ resourceName }: TrafficExtension): FilterJson {
  return { name: resourceName, configDiscovery: discovered(NetworkWasmSchema, NetworkRbacSchema) };
}

/** @param types what it may be: the agent has a filter that allows or denies everything in place of a module that is not there */
function discovered(...types: readonly Parameters<typeof typeUrlOf>[0][]): ExtensionConfigSourceJson {
  return {
    configSource: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
    typeUrls: types.map(typeUrlOf),
  };
}
