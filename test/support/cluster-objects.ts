/** Objects of a cluster, as little of them as the mesh is made of. */
import type { ScriptedObject } from "./scripted-kubernetes.ts";

export const paths = {
  services: "/api/v1/services",
  slices: "/apis/discovery.k8s.io/v1/endpointslices",
  pods: "/api/v1/pods",
  nodes: "/api/v1/nodes",
  secrets: "/api/v1/secrets",
} as const;

/** @param ports number by name */
export function clusterService(
  name: string,
  ports: Readonly<Record<string, number>>,
  spec: Readonly<Record<string, unknown>> = {},
): ScriptedObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "demo", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.10",
      clusterIPs: ["10.96.0.10"],
      ports: Object.entries(ports).map(([port, number]) => ({ name: port, port: number, protocol: "TCP" })),
      ...spec,
    },
  };
}

export interface SliceChanges {
  /** Part of its name: a service may have several. */
  readonly suffix?: string;
  readonly addressType?: string;
  readonly conditions?: Readonly<Record<string, boolean>>;
}

/** A slice of the service `name` whose endpoints are `pod=address`, on the node `n1`. */
export function clusterSlice(
  name: string,
  ports: Readonly<Record<string, number>>,
  endpoints: readonly string[],
  { suffix = "x", addressType = "IPv4", conditions = { ready: true } }: SliceChanges = {},
): ScriptedObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${name}-${suffix}`,
      namespace: "demo",
      labels: { "kubernetes.io/service-name": name },
    },
    addressType,
    ports: Object.entries(ports).map(([port, number]) => ({ name: port, port: number, protocol: "TCP" })),
    endpoints: endpoints.map((text) => {
      const [pod = "", address = ""] = text.split("=");
      const targetRef = { kind: "Pod", name: pod, namespace: "demo" };
      return { addresses: [address], conditions, nodeName: "n1", targetRef };
    }),
  };
}

/** A pod with a sidecar. */
export function clusterPod(
  name: string,
  address: string,
  app: string,
  spec: Readonly<Record<string, unknown>> = {},
): ScriptedObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "demo",
      labels: { app, "security.istio.io/tlsMode": "istio" },
    },
    spec: {
      serviceAccountName: app,
      nodeName: "n1",
      containers: [{ name: "app", image: "app" }],
      ...spec,
    },
    status: {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

export function clusterNode(name: string, region: string, zone: string): ScriptedObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone },
    },
  };
}
