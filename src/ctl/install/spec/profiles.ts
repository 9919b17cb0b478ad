/**
 * The profiles: what is installed where nothing else is said, with Istio's names and Istio's choice of components.
 */
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import type { profileNames } from "./schema.ts";

/** A profile's name. */
export type ProfileName = (typeof profileNames)[number];

const small = { requests: { cpu: "10m", memory: "100Mi" }, limits: { memory: "512Mi" } } as const;

function gateway(name: string, label: string, isEnabled: boolean, k8s: JsonObject = {}): JsonObject {
  return {
    name,
    namespace: "istio-system",
    enabled: isEnabled,
    label: { app: name, istio: label },
    k8s: { replicaCount: 2, ...k8s },
  };
}

const clusterIp: JsonObject = {
  type: "ClusterIP",
  ports: [
    { name: "http2", port: 80, targetPort: 8080 },
    { name: "https", port: 443, targetPort: 8443 },
  ],
};

function gateways(isIngress: boolean, isEgress: boolean, k8s: JsonObject = {}): JsonObject {
  return {
    ingressGateways: [gateway("istio-ingressgateway", "ingressgateway", isIngress, k8s)],
    egressGateways: [
      gateway("istio-egressgateway", "egressgateway", isEgress, { ...k8s, service: clusterIp }),
    ],
  };
}

const profiles: Readonly<Record<ProfileName, JsonObject>> = {
  default: {
    components: {
      base: { enabled: true },
      pilot: { enabled: true, k8s: { replicaCount: 2 } },
      ...gateways(true, false),
    },
  },
  demo: {
    meshConfig: { accessLogFile: "/dev/stdout" },
    components: {
      base: { enabled: true },
      pilot: { enabled: true, k8s: { replicaCount: 1, resources: small } },
      ...gateways(true, true, { replicaCount: 1, resources: small }),
    },
  },
  minimal: {
    components: {
      base: { enabled: true },
      pilot: { enabled: true, k8s: { replicaCount: 2 } },
      ...gateways(false, false),
    },
  },
  empty: {
    components: {
      base: { enabled: false },
      pilot: { enabled: false, k8s: { replicaCount: 2 } },
      ...gateways(false, false),
    },
  },
};

/**
 * What it says, whole. An empty registry is the node's own: the image is `outrider:TAG` there.
 *
 * @param release that is installed
 */
export function profileSpec(name: ProfileName, release: string): JsonObject {
  return { profile: name, hub: "", tag: release, revision: "default", ...profiles[name] };
}

/** In the form of a file that `-f` takes. */
export function operatorDocument(spec: Json): JsonObject {
  return { apiVersion: "install.istio.io/v1alpha1", kind: "IstioOperator", spec };
}
