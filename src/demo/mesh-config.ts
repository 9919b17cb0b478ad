/**
 * The demo mesh's configuration, as the YAML that a user would write.
 */
import { stringify } from "yaml";
import type { Ports } from "./ports.ts";

/** Namespace of the demo. */
export const demoNamespace = "demo";

/** Host name of a demo service. */
export function serviceHost(name: string): string {
  return `${name}.${demoNamespace}.svc.cluster.local`;
}

/** File name and content of each file. Applications listen on `appPorts`. */
export function demoConfiguration(
  ports: Ports,
  appPorts: Readonly<Record<"web" | "api", number>>,
): Readonly<Record<string, string>> {
  return {
    "web.yaml": documents(service("web", ports), sidecar("web", ports, appPorts.web)),
    "api.yaml": documents(service("api", ports), sidecar("api", ports, appPorts.api)),
    "mutual-tls.yaml": documents({
      apiVersion: "security.istio.io/v1",
      kind: "PeerAuthentication",
      metadata: { name: "default", namespace: demoNamespace },
      spec: { mtls: { mode: "STRICT" } },
    }),
  };
}

function documents(...objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}

function service(name: "web" | "api", ports: Ports): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: demoNamespace },
    spec: {
      hosts: [serviceHost(name)],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      endpoints: [
        {
          address: "127.0.0.1",
          ports: { http: ports[`${name}.inbound`] },
          labels: { app: name },
          serviceAccount: name,
        },
      ],
    },
  };
}

function sidecar(name: "web" | "api", ports: Ports, appPort: number): object {
  const http = (number: number): object => ({ number, name: "http", protocol: "HTTP" });
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name, namespace: demoNamespace },
    spec: {
      workloadSelector: { labels: { app: name } },
      ingress: [
        {
          port: http(ports[`${name}.inbound`]),
          bind: "127.0.0.1",
          captureMode: "NONE",
          defaultEndpoint: `127.0.0.1:${appPort}`,
        },
      ],
      egress: [
        { port: http(ports[`${name}.outbound`]), bind: "127.0.0.1", captureMode: "NONE", hosts: ["./*"] },
      ],
    },
  };
}
