/** Type URLs of the resources that are handled by name, from Envoy's xDS and Istio's APIs. */
export const typeUrl = {
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  extension: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  proxyConfig: "type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig",
  nameTable: "type.googleapis.com/istio.networking.nds.v1.NameTable",
  workload: "type.googleapis.com/istio.workload.Workload",
  healthInformation: "type.googleapis.com/istio.v1.HealthInformation",
} as const;

/** Types of which a request without names wants all. */
export const wildcardTypes: ReadonlySet<string> = new Set([
  typeUrl.cluster,
  typeUrl.listener,
  typeUrl.nameTable,
  typeUrl.proxyConfig,
]);

/** `Cluster` of `type.googleapis.com/envoy.config.cluster.v3.Cluster`, for people. */
export function shortType(url: string): string {
  return url.replace(/^.*\./, "");
}
