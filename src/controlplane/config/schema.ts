/**
 * The schema of each kind. A field that Istio has and this control plane does not act on is refused: silently
 * ignoring half of a policy would be worse.
 */
import { isIP } from "node:net";
import {
  boolean,
  type Decoder,
  integer,
  list,
  mapping,
  object,
  oneOf,
  optional,
  required,
  text,
} from "./decode.ts";
import type {
  DestinationRuleSpec,
  EgressListener,
  HttpMatch,
  HttpRoute,
  IngressListener,
  Kinds,
  PeerAuthenticationSpec,
  PortSpec,
  RouteDestination,
  ServiceEntrySpec,
  SidecarSpec,
  StringMatch,
  TrafficPolicy,
  VirtualServiceSpec,
  WorkloadSpec,
} from "./objects.ts";

const portNumber = integer(1, 65_535);
const labels = mapping(text("text", () => true));
const labelSelector = object<{ labels: Readonly<Record<string, string>> }>({ labels: required(labels) });
const host = text("a host name", (value) => /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value));
const duration = text("a duration such as 5s", (value) => /^\d+(\.\d+)?(ms|s|m|h)$/.test(value));
const captureMode = oneOf("DEFAULT", "IPTABLES", "NONE");

const port = object<PortSpec>({
  number: required(portNumber),
  name: required(text("a port name")),
  protocol: optional(oneOf("HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS")),
  targetPort: optional(portNumber),
});

const workload = object<WorkloadSpec>({
  address: required(text("an IP address or host name")),
  ports: optional(mapping(portNumber)),
  labels: optional(labels),
  serviceAccount: optional(text()),
  weight: optional(integer(0, 1_000_000)),
});

const serviceEntry = object<ServiceEntrySpec>({
  hosts: required(list(host, 1)),
  addresses: optional(list(text("an IP address", (value) => isIP(value) !== 0))),
  ports: required(list(port, 1)),
  location: optional(oneOf("MESH_EXTERNAL", "MESH_INTERNAL")),
  resolution: optional(oneOf("STATIC", "DNS", "NONE")),
  endpoints: optional(list(workload)),
  workloadSelector: optional(labelSelector),
});

const stringMatch: Decoder<StringMatch> = object<StringMatch>({
  exact: optional(text()),
  prefix: optional(text()),
  regex: optional(text()),
});

const httpMatch = object<HttpMatch>({
  name: optional(text()),
  uri: optional(stringMatch),
  method: optional(stringMatch),
  authority: optional(stringMatch),
  headers: optional(mapping(stringMatch)),
  ignoreUriCase: optional(boolean),
});

const routeDestination = object<RouteDestination>({
  destination: required(
    object<RouteDestination["destination"]>({
      host: required(host),
      subset: optional(text()),
      port: optional(object<{ number: number }>({ number: required(portNumber) })),
    }),
  ),
  weight: optional(integer(0, 1_000_000)),
});

const httpRoute = object<HttpRoute>({
  name: optional(text()),
  match: optional(list(httpMatch)),
  route: required(list(routeDestination, 1)),
  timeout: optional(duration),
});

const virtualService = object<VirtualServiceSpec>({
  hosts: required(list(host, 1)),
  http: required(list(httpRoute, 1)),
});

const trafficPolicy = object<TrafficPolicy>({
  tls: optional(
    object<NonNullable<TrafficPolicy["tls"]>>({ mode: required(oneOf("DISABLE", "ISTIO_MUTUAL")) }),
  ),
  loadBalancer: optional(
    object<NonNullable<TrafficPolicy["loadBalancer"]>>({
      simple: required(oneOf("LEAST_REQUEST", "ROUND_ROBIN", "RANDOM")),
    }),
  ),
});

const destinationRule = object<DestinationRuleSpec>({
  host: required(host),
  trafficPolicy: optional(trafficPolicy),
  subsets: optional(
    list(
      object<NonNullable<DestinationRuleSpec["subsets"]>[number]>({
        name: required(text()),
        labels: required(labels),
      }),
    ),
  ),
});

const mutualTls = object<NonNullable<PeerAuthenticationSpec["mtls"]>>({
  mode: required(oneOf("STRICT", "PERMISSIVE", "DISABLE", "UNSET")),
});

const peerAuthentication = object<PeerAuthenticationSpec>({
  selector: optional(
    object<NonNullable<PeerAuthenticationSpec["selector"]>>({ matchLabels: required(labels) }),
  ),
  mtls: optional(mutualTls),
  portLevelMtls: optional(mapping(mutualTls)),
});

const sidecar = object<SidecarSpec>({
  workloadSelector: optional(labelSelector),
  ingress: optional(
    list(
      object<IngressListener>({
        port: required(port),
        bind: optional(text("an IP address", (value) => isIP(value) !== 0)),
        captureMode: optional(captureMode),
        defaultEndpoint: required(
          text("127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:PATH", (value) =>
            /^((127\.0\.0\.1|0\.0\.0\.0|\[::1\]):\d{1,5}|unix:.+)$/.test(value),
          ),
        ),
      }),
    ),
  ),
  egress: optional(
    list(
      object<EgressListener>({
        port: optional(port),
        bind: optional(text("an IP address", (value) => isIP(value) !== 0)),
        captureMode: optional(captureMode),
        hosts: required(
          list(
            text("namespace/host", (value) => /^[^/]+\/[^/]+$/.test(value)),
            1,
          ),
        ),
      }),
    ),
  ),
  outboundTrafficPolicy: optional(
    object<NonNullable<SidecarSpec["outboundTrafficPolicy"]>>({
      mode: required(oneOf("ALLOW_ANY", "REGISTRY_ONLY")),
    }),
  ),
});

/** Decoder of the specification of each kind, with the API group that it belongs to. */
export const kinds: {
  readonly [Kind in keyof Kinds]: { readonly group: string; readonly spec: Decoder<Kinds[Kind]> };
} = {
  ServiceEntry: { group: "networking.istio.io", spec: serviceEntry },
  WorkloadEntry: { group: "networking.istio.io", spec: workload },
  VirtualService: { group: "networking.istio.io", spec: virtualService },
  DestinationRule: { group: "networking.istio.io", spec: destinationRule },
  PeerAuthentication: { group: "security.istio.io", spec: peerAuthentication },
  Sidecar: { group: "networking.istio.io", spec: sidecar },
};
