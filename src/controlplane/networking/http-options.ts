/**
 * Which HTTP a cluster speaks to its endpoints.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type {
  HttpProtocolOptionsJson as CommonOptionsJson,
  UpstreamHttpProtocolOptionsJson,
} from "../../proto/envoy/envoy/config/core/v3/protocol_pb.js";
import {
  HttpProtocolOptionsSchema,
  type HttpProtocolOptionsJson,
} from "../../proto/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { packed } from "./any.ts";

const extension = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

type Options = Pick<ClusterJson, "typedExtensionProtocolOptions">;

/** What holds for connections of both versions. */
export interface HttpConnections {
  readonly common?: CommonOptionsJson | undefined;
  readonly upstream?: UpstreamHttpProtocolOptionsJson | undefined;
  /** Requests at once on one connection of HTTP/2; no limit of our own when undefined. */
  readonly maxConcurrentStreams?: number | undefined;
}

/** HTTP/1.1, which needs no saying unless something else is said. */
export function http1Only(connections: HttpConnections = {}): Options {
  const { common, upstream } = connections;
  if (common === undefined && upstream === undefined) return {};
  return options({ explicitHttpConfig: { httpProtocolOptions: {} } }, connections);
}

/** HTTP/2, whatever the caller spoke. */
export function http2Only(connections: HttpConnections = {}): Options {
  return options({ explicitHttpConfig: { http2ProtocolOptions: streams(connections) } }, connections);
}

/** What the caller spoke. */
export function byDownstreamProtocol(common?: CommonOptionsJson, connections: HttpConnections = {}): Options {
  return options(
    {
      useDownstreamProtocolConfig: {
        httpProtocolOptions: {},
        http2ProtocolOptions: streams(connections),
      },
    },
    { ...connections, common: common ?? connections.common },
  );
}

function streams({ maxConcurrentStreams }: HttpConnections): { readonly maxConcurrentStreams?: number } {
  return maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams };
}

function options(version: HttpProtocolOptionsJson, { common, upstream }: HttpConnections): Options {
  return {
    typedExtensionProtocolOptions: {
      [extension]: packed(HttpProtocolOptionsSchema, {
        ...(common === undefined ? {} : { commonHttpProtocolOptions: common }),
        ...(upstream === undefined ? {} : { upstreamHttpProtocolOptions: upstream }),
        ...version,
      }),
    },
  };
}
