/** Istio objects of the test mesh: namespace demo, bound listeners, STRICT mutual TLS. */

export const apiHost = "api.demo.svc.cluster.local";

export interface EndpointOptions {
  readonly port: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
}

export function service(name: string, endpoints: readonly EndpointOptions[], number = 80): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: "demo" },
    spec: {
      hosts: [`${name}.demo.svc.cluster.local`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number, name: "http", protocol: "HTTP" }],
      endpoints: endpoints.map(({ port, labels, serviceAccount }) => ({
        address: "127.0.0.1",
        ports: { http: port },
        serviceAccount: serviceAccount ?? name,
        ...(labels === undefined ? {} : { labels }),
      })),
    },
  };
}

/** A service whose endpoints are called as they are, with no sidecar before them. */
export function plainText(name: string): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name, namespace: "demo" },
    spec: { host: `${name}.demo.svc.cluster.local`, trafficPolicy: { tls: { mode: "DISABLE" } } },
  };
}

/** @param seen services that it calls */
export function ingress(name: string, port: number, appPort: number, seen = "./*"): object {
  return sidecar(name, {
    ingress: [
      {
        port: { number: port, name: "http", protocol: "HTTP" },
        bind: "127.0.0.1",
        captureMode: "NONE",
        defaultEndpoint: `127.0.0.1:${appPort}`,
      },
    ],
    egress: [{ hosts: [seen] }],
  });
}

export function egress(name: string, port: number): object {
  return sidecar(name, {
    egress: [
      {
        port: { number: port, name: "http", protocol: "HTTP" },
        bind: "127.0.0.1",
        captureMode: "NONE",
        hosts: ["./*"],
      },
    ],
  });
}

/** The same and a port on which every connection is one of its own to `service`, with a handshake of its own. */
export function egressWithRaw(
  name: string,
  port: number,
  raw: {
    readonly port: number;
    readonly service: string;
    readonly serviceAccount: string;
    readonly to: number;
  },
): readonly object[] {
  const host = `${raw.service}.demo.svc.cluster.local`;
  const bound = { bind: "127.0.0.1", captureMode: "NONE" };
  return [
    sidecar(name, {
      egress: [
        { port: { number: port, name: "http", protocol: "HTTP" }, ...bound, hosts: ["./*"] },
        { port: { number: raw.port, name: "tcp", protocol: "TCP" }, ...bound, hosts: [`./${host}`] },
      ],
    }),
    {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: raw.service, namespace: "demo" },
      spec: {
        hosts: [host],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        ports: [{ number: raw.port, name: "tcp", protocol: "TCP" }],
        endpoints: [{ address: "127.0.0.1", ports: { tcp: raw.to }, serviceAccount: raw.serviceAccount }],
      },
    },
  ];
}

function sidecar(name: string, spec: object): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name, namespace: "demo" },
    spec: { workloadSelector: { labels: { app: name } }, ...spec },
  };
}

export function mutualTls(mode: "STRICT" | "PERMISSIVE" | "DISABLE"): object {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: "demo" },
    spec: { mtls: { mode } },
  };
}
