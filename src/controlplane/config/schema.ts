/**
 * The schema of each kind. A field that Istio has and this control plane does not act on is refused: silently
 * ignoring half of a policy would be worse.
 */
import type { Decoder } from "./decode.ts";
import type { Kinds } from "./objects.ts";
import { destinationRule } from "./schemas/destination-rule.ts";
import { gateway } from "./schemas/gateway.ts";
import { secret } from "./schemas/secret.ts";
import { authorizationPolicy, peerAuthentication, requestAuthentication } from "./schemas/security.ts";
import { serviceEntry, sidecar, workload } from "./schemas/services.ts";
import { virtualService } from "./schemas/virtual-service.ts";

const networking = "networking.istio.io";
const security = "security.istio.io";

/** A kind. */
interface KindRow<Spec> {
  /** The API group that it belongs to; empty for Kubernetes' own. */
  readonly group: string;
  readonly spec: Decoder<Spec>;
  /** The fields of the specification stand in the object itself. */
  readonly isBare?: true;
}

/** Decoder of the specification of each kind. */
export const kinds: {
  readonly [Kind in keyof Kinds]: KindRow<Kinds[Kind]>;
} = {
  ServiceEntry: { group: networking, spec: serviceEntry },
  WorkloadEntry: { group: networking, spec: workload },
  VirtualService: { group: networking, spec: virtualService },
  DestinationRule: { group: networking, spec: destinationRule },
  Sidecar: { group: networking, spec: sidecar },
  Gateway: { group: networking, spec: gateway },
  PeerAuthentication: { group: security, spec: peerAuthentication },
  AuthorizationPolicy: { group: security, spec: authorizationPolicy },
  Secret: { group: "", isBare: true, spec: secret },
  RequestAuthentication: { group: security, spec: requestAuthentication },
};
