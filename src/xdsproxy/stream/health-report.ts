/**
 * The workload's health, as a control plane is told it: a request on Envoy's stream that asks for nothing.
 */
import { typeUrl } from "../../xds/type-urls.ts";
import type { AdsProtocol } from "../../xds/protocol.ts";

/** What there is to tell. */
export type HealthReport =
  { readonly kind: "healthy" } | { readonly kind: "unhealthy"; readonly reason: string };

/** The request. Without an error it says that the workload is healthy; nothing answers it. */
export function healthRequest(protocol: AdsProtocol, health: HealthReport): Buffer {
  return protocol.writeRequest({
    typeUrl: typeUrl.healthInformation,
    ...(health.kind === "unhealthy" ? { error: health.reason } : {}),
  });
}
