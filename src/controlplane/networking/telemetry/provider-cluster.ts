/** Where a provider is, as a proxy knows it. */
import type { GrpcServiceJson } from "../../../proto/envoy/envoy/config/core/v3/grpc_service_pb.js";
import type { SidecarSpec } from "../../config/objects.ts";
import type { ProviderServices } from "../../model/providers.ts";
import { outboundCluster } from "../names.ts";
import { seesService } from "../visibility.ts";

/** A provider's cluster. */
export interface ProviderCluster {
  readonly host: string;
  readonly cluster: string;
}

/** Finds it; undefined where the proxy has no cluster for the service: Envoy refuses a listener that names one. */
export type FindProvider = (called: {
  readonly service: string;
  readonly port: number;
}) => ProviderCluster | undefined;

/** For a proxy of a namespace, with its Sidecar. */
export function providerFinder(
  services: ProviderServices,
  namespace: string,
  sidecar: SidecarSpec | undefined,
): FindProvider {
  return ({ service: name, port }) => {
    const service = services.get(name);
    if (service === undefined || !service.ports.includes(port)) return undefined;
    if (!seesService(service, namespace, sidecar)) return undefined;
    return { host: service.host, cluster: outboundCluster(service.host, port) };
  };
}

/** A call of gRPC to it. */
export function grpcService({ host, cluster }: ProviderCluster): GrpcServiceJson {
  return { envoyGrpc: { clusterName: cluster, authority: host } };
}
