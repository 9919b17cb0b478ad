/**
 * What a listener finds out of a connection before it chooses a filter chain, and at which ports it does not look: a
 * server that speaks first waits for nobody who looks.
 */
import type {
  ListenerFilterChainMatchPredicateJson,
  ListenerFilterJson,
} from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import { HttpInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { OriginalSrcSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { TlsInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { packed } from "./any.ts";

/** Istio's `--istio-inbound-tproxy-mark`, which its rules know the way back of TPROXY's connections by. */
const tproxyMark = 1_337;

/** Where the connection was going before it was captured. */
export const originalDestination: ListenerFilterJson = {
  name: "envoy.filters.listener.original_dst",
  typedConfig: packed(OriginalDstSchema, {}),
};

/** Calls the application from the caller's own address: Envoy needs NET_ADMIN. */
export const originalSource: ListenerFilterJson = {
  name: "envoy.filters.listener.original_src",
  typedConfig: packed(OriginalSrcSchema, { mark: tproxyMark }),
};

/** Tells TLS from plain text, but for connections to these ports. */
export function tlsInspector(except: readonly number[] = []): ListenerFilterJson {
  return {
    name: "envoy.filters.listener.tls_inspector",
    typedConfig: packed(TlsInspectorSchema, {}),
    ...disabledAt(except),
  };
}

/** Tells HTTP from everything else, but for connections to these ports. */
export function httpInspector(except: readonly number[] = []): ListenerFilterJson {
  return {
    name: "envoy.filters.listener.http_inspector",
    typedConfig: packed(HttpInspectorSchema, {}),
    ...disabledAt(except),
  };
}

function disabledAt(ports: readonly number[]): Pick<ListenerFilterJson, "filterDisabled"> {
  const rules = ports
    .toSorted((a, b) => a - b)
    .map((port): ListenerFilterChainMatchPredicateJson => ({
      destinationPortRange: { start: port, end: port + 1 },
    }));
  const [first] = rules;
  if (first === undefined) return {};
  return { filterDisabled: rules.length === 1 ? first : { orMatch: { rules } } };
}
