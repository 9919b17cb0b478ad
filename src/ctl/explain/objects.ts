/**
 * The objects that Envoy's resources were made from, as their metadata and names say.
 */
import { textAt } from "../../lifecycle/json-path.ts";

const kinds: Readonly<Record<string, string>> = {
  "virtual-service": "VirtualService",
  "destination-rule": "DestinationRule",
  "http-route": "HTTPRoute",
  "grpc-route": "GRPCRoute",
};

/** `VirtualService demo/api`; undefined for a resource that no rule has made. */
export function objectOf(json: unknown): string | undefined {
  const config = textAt(json, "metadata", "filter_metadata", "istio", "config") ?? "";
  const [, namespace = "", kind = "", name = ""] =
    /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(config) ?? [];
  return name === "" ? undefined : `${kinds[kind] ?? kind} ${namespace}/${name}`;
}

/** Of the name that a policy has in Envoy, `ns[demo]-policy[api]-rule[0]`. */
export function policyObject(policy: string | undefined): string | undefined {
  const [, namespace, name] = /^ns\[(.*)\]-policy\[(.*)\]-rule\[\d+\]$/.exec(policy ?? "") ?? [];
  return namespace === undefined || name === undefined
    ? undefined
    : `AuthorizationPolicy ${namespace}/${name}`;
}
