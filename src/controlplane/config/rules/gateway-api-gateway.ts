/** What spans several fields of the Gateway API's Gateway. */
import type { KubernetesGatewaySpec, ListenerSpec } from "../objects.ts";
import { isServedProtocol } from "../schemas/gateway-api/gateway.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule. */
export function kubernetesGateway(spec: KubernetesGatewaySpec): readonly Complaint[] {
  const { listeners, infrastructure, addresses = [] } = spec;
  return [
    ...duplicates(
      listeners.map(({ name }) => name),
      "spec.listeners",
      "name",
    ),
    ...listeners.flatMap((listener, index) => ofListener(listener, `spec.listeners[${index}]`)),
    ...addresses.flatMap(({ type = "IPAddress" }, index): readonly Complaint[] =>
      type === "Hostname"
        ? []
        : [[`spec.addresses[${index}]`, "has no effect: the router listens on all of its own", "warning"]],
    ),
    ...(infrastructure === undefined
      ? []
      : [
          [
            "spec.infrastructure",
            "has no effect: nothing is deployed for a Gateway here",
            "warning",
          ] as const,
        ]),
  ];
}

function ofListener(
  { protocol, hostname, tls, allowedRoutes }: ListenerSpec,
  path: string,
): readonly Complaint[] {
  const { from, selector } = allowedRoutes?.namespaces ?? {};
  return [
    ...((protocol === "TCP" || protocol === "UDP") && hostname !== undefined
      ? [[`${path}.hostname`, `does not go with ${protocol}, which has no names`] as const]
      : []),
    ...ofTls(protocol, tls, `${path}.tls`),
    ...(from === "Selector" && selector === undefined
      ? [[`${path}.allowedRoutes.namespaces.selector`, "is missing, which from: Selector needs"] as const]
      : []),
    ...(from !== "Selector" && selector !== undefined
      ? [
          [
            `${path}.allowedRoutes.namespaces.selector`,
            "has no effect without from: Selector",
            "warning",
          ] as const,
        ]
      : []),
    ...(selector?.matchExpressions ?? []).flatMap(
      ({ operator, values = [] }, index): readonly Complaint[] => {
        const takesValues = operator === "In" || operator === "NotIn";
        const at = `${path}.allowedRoutes.namespaces.selector.matchExpressions[${index}].values`;
        if (takesValues === values.length > 0) return [];
        return [[at, takesValues ? `is missing, which ${operator} needs` : `does not go with ${operator}`]];
      },
    ),
  ];
}

function ofTls(
  protocol: ListenerSpec["protocol"],
  tls: ListenerSpec["tls"],
  path: string,
): readonly Complaint[] {
  if (tls === undefined)
    return protocol === "TLS" ? [[path, `is missing, which a listener of ${protocol} needs`]] : [];
  if (["HTTP", "TCP", "UDP"].includes(protocol))
    return [[path, `does not go with ${protocol}: set the protocol to HTTPS or TLS`]];
  // The listener is not served.
  if (!isServedProtocol(protocol)) return [];
  const { mode = "Terminate", certificateRefs = [], options = {} } = tls;
  if (mode === "Passthrough") {
    if (protocol === "HTTPS")
      return [[`${path}.mode`, "must be Terminate for HTTPS: set the protocol to TLS"]];
    return certificateRefs.length === 0
      ? []
      : [[`${path}.certificateRefs`, "has no effect: Passthrough leaves TLS to the server", "warning"]];
  }
  const unknown = Object.entries(options).flatMap(([name, value]): readonly Complaint[] => {
    const at = `${path}.options.${name}`;
    if (name === "gateway.istio.io/tls-cipher-suites") return [];
    if (name !== "gateway.istio.io/tls-terminate-mode")
      return [[at, "has no effect: this control plane does not act on it", "warning"]];
    return ["MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL"].includes(value)
      ? []
      : [[at, "must be one of MUTUAL, OPTIONAL_MUTUAL, ISTIO_MUTUAL"]];
  });
  return certificateRefs.length === 0 && Object.keys(options).length === 0
    ? [...unknown, [`${path}.certificateRefs`, "is missing, which TLS that ends at the gateway needs"]]
    : unknown;
}
