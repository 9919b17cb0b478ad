/**
 * Variables of the proxy's container: who the pod is, whose it is, where the control plane is, and how traffic is captured. What
 * each does is in src/config.
 */
import type { Named } from "../pod.ts";
import type { PodSettings } from "../pod-settings.ts";
import { fieldOf, limitOf, valueOf } from "./variables.ts";

/** In the order in which they stand; those of `proxyMetadata` last. */
export function proxyEnvironment(settings: PodSettings): readonly Named[] {
  const { values, mesh, labels, annotations, place, proxyMetadata } = settings;
  const { owner, namespace } = place;
  const trustDomain = mesh.trustDomain ?? values.trustDomain;
  const some = (name: string, value: string): readonly Named[] =>
    value === "" ? [] : [valueOf(name, value)];
  return [
    ...(mesh.isInboundLocal === true ? [valueOf("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true")] : []),
    valueOf("PILOT_CERT_PROVIDER", values.certProvider),
    valueOf("CA_ADDR", values.caAddress === "" ? controlPlaneAddress(settings) : values.caAddress),
    fieldOf("POD_NAME", "metadata.name"),
    fieldOf("POD_NAMESPACE", "metadata.namespace"),
    fieldOf("INSTANCE_IP", "status.podIP"),
    fieldOf("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    fieldOf("HOST_IP", "status.hostIP"),
    limitOf("ISTIO_CPU_LIMIT", "limits.cpu"),
    valueOf("PROXY_CONFIG", JSON.stringify(proxyConfigOf(settings))),
    valueOf("ISTIO_META_POD_PORTS", JSON.stringify(podPorts(settings))),
    valueOf("ISTIO_META_APP_CONTAINERS", settings.containers.map(({ name }) => name).join(",")),
    valueOf("ISTIO_META_CLUSTER_ID", settings.cluster === "" ? "Kubernetes" : settings.cluster),
    fieldOf("ISTIO_META_NODE_NAME", "spec.nodeName"),
    ...(settings.kind === "sidecar" ? [valueOf("ISTIO_META_INTERCEPTION_MODE", settings.interception)] : []),
    ...some("ISTIO_META_NETWORK", settings.network),
    ...some("ISTIO_META_WORKLOAD_NAME", labels["service.istio.io/workload-name"] ?? owner.name),
    ...(owner.name === "" || owner.apiVersion === ""
      ? []
      : [
          valueOf(
            "ISTIO_META_OWNER",
            `kubernetes://apis/${owner.apiVersion}/namespaces/${namespace}/${owner.kind.toLowerCase()}s/${owner.name}`,
          ),
        ]),
    ...(annotations["sidecar.istio.io/bootstrapOverride"] === undefined
      ? []
      : [valueOf("ISTIO_BOOTSTRAP_OVERRIDE", "/etc/istio/custom-bootstrap/custom_bootstrap.json")]),
    ...some("ISTIO_META_MESH_ID", values.meshId === "" ? trustDomain : values.meshId),
    ...some("TRUST_DOMAIN", trustDomain),
    ...Object.entries(proxyMetadata).map(([name, value]) => valueOf(name, value)),
  ];
}

/** istiod's, and that of `outrider discovery`, whose Service has the same name. */
function controlPlaneAddress({ values: { revision, istioNamespace } }: PodSettings): string {
  return `istiod${revision === "" ? "" : `-${revision}`}.${istioNamespace}.svc:15012`;
}

/** The agent's own defaults are left out; where it finds the control plane of a revision is not one of them. */
function proxyConfigOf(settings: PodSettings): object {
  const { proxyConfig, statusPort, values } = settings;
  const address = controlPlaneAddress(settings);
  const isElsewhere = address !== "istiod.istio-system.svc:15012";
  return {
    ...(isElsewhere ? { discoveryAddress: address } : {}),
    ...(values.proxy.statusPort !== 15_020 && statusPort === values.proxy.statusPort ? { statusPort } : {}),
    ...proxyConfig,
  };
}

function podPorts({ containers, override }: PodSettings): readonly unknown[] {
  return [...containers, ...(override === undefined ? [] : [override])].flatMap(({ ports = [] }) => ports);
}
