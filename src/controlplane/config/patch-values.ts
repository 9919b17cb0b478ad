/** What an EnvoyFilter puts into Envoy's configuration, in protobuf's JSON form as translation has it. */
import { type DescMessage, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { envoyMessage, withAllMessages } from "./envoy-messages.ts";
import type { JsonObject } from "./json-value.ts";
import type { ConfigPatchSpec } from "./objects.ts";

/** What is patched. */
export type ApplyTo = ConfigPatchSpec["applyTo"];

const messages: Readonly<Record<ApplyTo, string>> = {
  LISTENER: "envoy.config.listener.v3.Listener",
  FILTER_CHAIN: "envoy.config.listener.v3.FilterChain",
  NETWORK_FILTER: "envoy.config.listener.v3.Filter",
  LISTENER_FILTER: "envoy.config.listener.v3.ListenerFilter",
  HTTP_FILTER: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
  ROUTE_CONFIGURATION: "envoy.config.route.v3.RouteConfiguration",
  VIRTUAL_HOST: "envoy.config.route.v3.VirtualHost",
  HTTP_ROUTE: "envoy.config.route.v3.Route",
  CLUSTER: "envoy.config.cluster.v3.Cluster",
  EXTENSION_CONFIG: "envoy.config.core.v3.TypedExtensionConfig",
  BOOTSTRAP: "envoy.config.bootstrap.v3.Bootstrap",
};

/** Envoy's message of what is patched. */
export function patchedMessage(applyTo: ApplyTo): DescMessage {
  const message = envoyMessage(messages[applyTo]);
  if (message === undefined) throw new Error(`Envoy's API has no ${messages[applyTo]}`);
  return message;
}

/** A value, with what of it is left out; or why there is none. */
export type PatchValue =
  | { readonly kind: "read"; readonly json: JsonObject; readonly unknown?: string }
  | { readonly kind: "refused"; readonly reason: string };

const registry = withAllMessages();

/** Read the value of a patch, in whichever of its two spellings a field is written. */
export function readPatchValue(applyTo: ApplyTo, value: JsonObject): PatchValue {
  const schema = patchedMessage(applyTo);
  const read = (ignoreUnknownFields: boolean): JsonObject => {
    const message = fromJson(schema, value as JsonValue, { registry, ignoreUnknownFields });
    return toJson(schema, message, { registry }) as JsonObject;
  };
  try {
    return { kind: "read", json: read(false) };
  } catch (strict) {
    try {
      return { kind: "read", json: read(true), unknown: errorMessage(strict) };
    } catch (error) {
      return { kind: "refused", reason: errorMessage(error) };
    }
  }
}
