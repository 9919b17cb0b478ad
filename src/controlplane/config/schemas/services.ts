/**
 * What is called, and what a workload sees of it: ServiceEntry, WorkloadEntry, Sidecar.
 */
import { integer, list, object, oneOf, optional, required, text } from "../decode.ts";
import { isAddress, isDefaultEndpoint, isHost, isLocality, isResourceName } from "../forms.ts";
import {
  captureMode,
  exportTo,
  host,
  ipAddress,
  ipRange,
  labels,
  labelSelector,
  port,
  portsByName,
} from "./common.ts";

/** What is known of a workload besides its address. */
export const workloadFields = {
  ports: optional(portsByName),
  labels: optional(labels),
  locality: optional(text("region/zone/subzone", isLocality)),
  serviceAccount: optional(text("the name of a service account", isResourceName)),
  weight: optional(integer(0, 1_000_000)),
} as const;

/** `spec` of a WorkloadEntry, and an endpoint of a ServiceEntry (networking.istio.io/v1). */
export const workload = object({
  address: required(text("an IP address or host name", (value) => isAddress(value) || isHost(value))),
  ...workloadFields,
});

/** `spec` of a ServiceEntry (networking.istio.io/v1). */
export const serviceEntry = object({
  hosts: required(list(host, 1)),
  addresses: optional(list(ipRange)),
  ports: required(list(port, 1)),
  location: optional(oneOf("MESH_EXTERNAL", "MESH_INTERNAL")),
  resolution: optional(oneOf("STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE")),
  endpoints: optional(list(workload)),
  workloadSelector: optional(labelSelector),
  exportTo: optional(exportTo),
  subjectAltNames: optional(list(text())),
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
            "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:// and an absolute path of at most 107 bytes",
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
  outboundTrafficPolicy: optional(object({ mode: required(oneOf("ALLOW_ANY", "REGISTRY_ONLY")) })),
});
