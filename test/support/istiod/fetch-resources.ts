/** Everything that a control plane has for a proxy, as its Envoy would get it. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import type { NodeFacts } from "../../../src/controlplane/model/proxy.ts";
import { inboxOf } from "../inbox.ts";
import { decodeResource } from "./decode.ts";

/** Decoded, by type. */
export type Resources = Readonly<
  Record<"clusters" | "endpoints" | "extensions" | "listeners" | "routes", readonly Json[]>
>;
/** A message in protobuf's JSON form. */
export type Json = Record<string, unknown>;

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** How long an answer is waited for: some types of proxies get none, in milliseconds. */
const answerMs = 8_000;

/** @param port of discovery in plain text */
export async function fetchResources(port: number, node: NodeFacts): Promise<Resources> {
  using channel = new GrpcChannel({ address: `127.0.0.1:${port}`, tls: undefined });
  const stream = channel.stream(method, {});
  const inbox = inboxOf(stream);
  // istiod gives older proxies less.
  const metadata = { CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.30.0", ...node.metadata };
  const ask = async (type: string, names: readonly string[]): Promise<readonly Json[]> => {
    stream.enqueue(
      toBinary(
        DiscoveryRequestSchema,
        create(DiscoveryRequestSchema, {
          node: { id: node.id, metadata },
          typeUrl: type,
          resourceNames: [...names],
        }),
      ),
    );
    for (;;) {
      const response = fromBinary(DiscoveryResponseSchema, await inbox.next(answerMs));
      if (response.typeUrl === type) return response.resources.map(decodeResource);
    }
  };
  try {
    const clusters = await ask(typeUrl.cluster, []);
    const eds = clusters.filter(({ type }) => type === "EDS");
    const serviceNames = eds.map(
      ({ name, eds_cluster_config }) =>
        ((eds_cluster_config ?? {}) as { service_name?: string }).service_name ?? String(name),
    );
    const endpoints = serviceNames.length === 0 ? [] : await ask(typeUrl.endpoint, serviceNames);
    const listeners = await ask(typeUrl.listener, []);
    const text = JSON.stringify(listeners);
    const named = (pattern: RegExp): readonly string[] => [
      ...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name)),
    ];
    const routeNames = named(/"route_config_name":"([^"]+)"/g);
    const extensionNames = named(/"name":"(extensions\.istio\.io\/[^"]+)","config_discovery"/g);
    const extensions = extensionNames.length === 0 ? [] : await ask(typeUrl.extension, extensionNames);
    const routes = routeNames.length === 0 ? [] : await ask(typeUrl.route, routeNames);
    return { clusters, endpoints, extensions, listeners, routes };
  } finally {
    stream.cancel();
  }
}
