/** Objects of the Gateway API in the namespace `demo`. */
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";

const group = "gateway.networking.k8s.io";

export const gatewayPaths = {
  classes: `/apis/${group}/v1/gatewayclasses`,
  gateways: `/apis/${group}/v1/namespaces/demo/gateways`,
  httpRoutes: `/apis/${group}/v1/namespaces/demo/httproutes`,
} as const;

export function gatewayObject(kind: string, name: string, spec: object, version = "v1"): ApiObject {
  const metadata = kind === "GatewayClass" ? { name } : { name, namespace: "demo" };
  return { apiVersion: `${group}/${version}`, kind, metadata, spec };
}

/** Of our own class unless told. */
export function kubernetesGateway(
  name: string,
  listeners: readonly object[],
  gatewayClassName = "istio",
): ApiObject {
  return gatewayObject("Gateway", name, { gatewayClassName, listeners });
}

export function httpRoute(name: string, gateways: readonly string[], backend: string): ApiObject {
  return gatewayObject("HTTPRoute", name, {
    parentRefs: gateways.map((each) => ({ name: each })),
    rules: [{ backendRefs: [{ name: backend, port: 80 }] }],
  });
}
