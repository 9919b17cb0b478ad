/**
 * The schema of each kind. A field that Istio has and this control plane does not act on is refused: silently
 * ignoring half of a policy would be worse.
 */
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
import {
  isAddress,
  isDefaultEndpoint,
  isDuration,
  isHeaderName,
  isHost,
  isPort,
  isRe2,
  isResourceName,
  isSubsetName,
} from "./forms.ts";
import type { Kinds } from "./objects.ts";

const portNumber = integer(1, 65_535);
const ipAddress = text("an IP address", isAddress);
const labels = mapping(text("text", () => true));
const labelSelector = object({ labels: required(labels) });
const host = text("a host name of at most 253 characters", isHost);
const duration = text("0s, or a duration from 1ms to 2562047h such as 5s", isDuration);
const subsetName = text("a subset's name: letters, digits and dashes, at most 63", isSubsetName);
const headerName = { expected: "the name of a header", test: isHeaderName };
const portKey = { expected: "a port from 1 to 65535", test: isPort };
const captureMode = oneOf("DEFAULT", "IPTABLES", "NONE");

export const port = object({
  number: required(portNumber),
  name: required(text("a port name")),
  protocol: optional(oneOf("HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS")),
  targetPort: optional(portNumber),
});

export const workload = object({
  address: required(text("an IP address or host name", (value) => isAddress(value) || isHost(value))),
  // Port number by port name.
  ports: optional(mapping(portNumber)),
  labels: optional(labels),
  serviceAccount: optional(text("the name of a service account", isResourceName)),
  weight: optional(integer(0, 1_000_000)),
});

export const serviceEntry = object({
  hosts: required(list(host, 1)),
  addresses: optional(list(ipAddress)),
  ports: required(list(port, 1)),
  location: optional(oneOf("MESH_EXTERNAL", "MESH_INTERNAL")),
  resolution: optional(oneOf("STATIC", "DNS", "NONE")),
  endpoints: optional(list(workload)),
  workloadSelector: optional(labelSelector),
});

export const stringMatch = object({
  exact: optional(text()),
  prefix: optional(text()),
  regex: optional(text("a regular expression in RE2's syntax", isRe2)),
});

export const httpMatch = object({
  name: optional(text()),
  uri: optional(stringMatch),
  method: optional(stringMatch),
  authority: optional(stringMatch),
  headers: optional(mapping(stringMatch, headerName)),
  ignoreUriCase: optional(boolean),
});

export const routeDestination = object({
  destination: required(
    object({
      host: required(host),
      subset: optional(subsetName),
      port: optional(object({ number: required(portNumber) })),
    }),
  ),
  weight: optional(integer(0, 1_000_000)),
});

export const httpRoute = object({
  name: optional(text()),
  match: optional(list(httpMatch)),
  route: required(list(routeDestination, 1)),
  timeout: optional(duration),
});

export const virtualService = object({
  hosts: required(list(host, 1)),
  http: required(list(httpRoute, 1)),
});

export const trafficPolicy = object({
  tls: optional(object({ mode: required(oneOf("DISABLE", "ISTIO_MUTUAL")) })),
  loadBalancer: optional(
    object({
      simple: required(oneOf("LEAST_REQUEST", "ROUND_ROBIN", "RANDOM")),
    }),
  ),
});

export const destinationRule = object({
  host: required(host),
  trafficPolicy: optional(trafficPolicy),
  subsets: optional(
    list(
      object({
        name: required(subsetName),
        labels: required(labels),
      }),
    ),
  ),
});

const mutualTls = object({
  mode: required(oneOf("STRICT", "PERMISSIVE", "DISABLE", "UNSET")),
});

export const peerAuthentication = object({
  selector: optional(object({ matchLabels: required(labels) })),
  mtls: optional(mutualTls),
  portLevelMtls: optional(mapping(mutualTls, portKey)),
});

export const sidecar = object({
  workloadSelector: optional(labelSelector),
  ingress: optional(
    list(
      object({
        port: required(port),
        bind: optional(ipAddress),
        captureMode: optional(captureMode),
        defaultEndpoint: required(
          text(
            "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:PATH of at most 107 bytes",
            isDefaultEndpoint,
          ),
        ),
      }),
    ),
  ),
  egress: optional(
    list(
      object({
        port: optional(port),
        bind: optional(ipAddress),
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
    object({
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
