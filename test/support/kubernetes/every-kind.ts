/** One object of each kind that has a status, in the namespace `demo`, as little as its definition takes. */
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { collectionPath, pluralOf } from "../../../src/controlplane/kubernetes/resource.ts";
import { apiVersionsOf, kinds, writtenKind } from "../../../src/controlplane/config/schema.ts";
import type { Kinds } from "../../../src/controlplane/config/objects.ts";

const route = {
  parentRefs: [{ name: "kubernetesgateway" }],
  rules: [{ backendRefs: [{ name: "api", port: 80 }] }],
};
const port = { number: 80, name: "http", protocol: "HTTP" };

const specs: Partial<Record<keyof Kinds, object>> = {
  ServiceEntry: { hosts: ["a.example.com"], ports: [port], resolution: "DNS" },
  WorkloadEntry: { address: "10.0.0.1" },
  WorkloadGroup: { template: {} },
  VirtualService: { hosts: ["a.example.com"], http: [{ directResponse: { status: 200 } }] },
  DestinationRule: { host: "a.example.com" },
  Sidecar: { egress: [{ hosts: ["./*"] }] },
  Gateway: { selector: { app: "edge" }, servers: [{ port, hosts: ["*"] }] },
  PeerAuthentication: { mtls: { mode: "PERMISSIVE" } },
  AuthorizationPolicy: {},
  EnvoyFilter: { configPatches: [] },
  Telemetry: {},
  ProxyConfig: { concurrency: 2 },
  WasmPlugin: { url: "oci://example.com/a:1" },
  TrafficExtension: { wasm: { url: "oci://example.com/a:1" } },
  RequestAuthentication: {},
  GatewayClass: { controllerName: "istio.io/gateway-controller" },
  KubernetesGateway: { gatewayClassName: "istio", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
  HTTPRoute: route,
  GRPCRoute: route,
  TLSRoute: { ...route, hostnames: ["a.example.com"] },
  TCPRoute: route,
};

export interface PlacedObject {
  readonly collection: string;
  readonly object: ApiObject;
}

/** By the kinds of the schema, so that one that joins it is missed here. */
export function objectOfEveryKind(): readonly PlacedObject[] {
  const all = (Object.keys(kinds) as (keyof Kinds)[]).filter(
    (kind) => kinds[kind].group !== "" && kind !== "ReferenceGrant",
  );
  return all.map((kind) => {
    const spec = specs[kind];
    if (spec === undefined) throw new Error(`there is no ${kind} to be tried here: add one`);
    const { group, versions, isClusterWide } = kinds[kind];
    const [apiVersion = ""] = apiVersionsOf(kind);
    const within = isClusterWide === true ? {} : { namespace: "demo" };
    const metadata = { name: kind.toLowerCase(), ...within };
    return {
      collection: collectionPath(
        { plural: pluralOf(writtenKind(kind)), group, ...within },
        versions[0] ?? "",
      ),
      object: { apiVersion, kind: writtenKind(kind), metadata, spec },
    };
  });
}
