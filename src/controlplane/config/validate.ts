/**
 * Rules that span several fields of one object.
 */
import type { ConfigObject, PeerAuthenticationSpec, SidecarSpec } from "./objects.ts";
import { authorizationPolicy } from "./rules/authorization-policy.ts";
import { type Complaint, duplicates } from "./rules/complaint.ts";
import { destinationRule } from "./rules/destination-rule.ts";
import { gateway } from "./rules/gateway.ts";
import { secret } from "./rules/secret.ts";
import { serviceEntry } from "./rules/service-entry.ts";
import { virtualService } from "./rules/virtual-service.ts";

/** Every broken rule of `object`. */
export function validate(object: ConfigObject): readonly Complaint[] {
  switch (object.kind) {
    case "ServiceEntry":
      return serviceEntry(object.spec);
    case "VirtualService":
      return virtualService(object.spec);
    case "PeerAuthentication":
      return peerAuthentication(object.spec);
    case "AuthorizationPolicy":
      return authorizationPolicy(object.spec);
    case "Sidecar":
      return sidecar(object.spec);
    case "DestinationRule":
      return destinationRule(object.spec);
    case "Gateway":
      return gateway(object.spec);
    case "Secret":
      return secret(object.spec);
    case "RequestAuthentication":
    case "WorkloadEntry":
      return [];
  }
}

function peerAuthentication(spec: PeerAuthenticationSpec): readonly Complaint[] {
  const hasPorts = Object.keys(spec.portLevelMtls ?? {}).length > 0;
  const selects = Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
  return hasPorts && !selects ? [["spec.portLevelMtls", "needs a selector: ports belong to a workload"]] : [];
}

function sidecar(spec: SidecarSpec): readonly Complaint[] {
  const ports = spec.ingress?.map(({ port }) => port.number) ?? [];
  const listeners = (spec.egress ?? []).map(({ bind = "", port }) =>
    port === undefined ? "the listener without a port" : `${bind}:${port.number}`,
  );
  return [
    ...duplicates(ports, "spec.ingress", "port.number"),
    ...duplicates(listeners, "spec.egress", "port"),
  ];
}
