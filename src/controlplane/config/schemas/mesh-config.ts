/**
 * Settings of the whole mesh: MeshConfig, as far as they decide what proxies are told.
 */
import { boolean, type Decoder, type Field, list, object, oneOf, optional, text, warn } from "../decode.ts";
import { type Json, type JsonObject, jsonObject } from "../json-value.ts";
import { extensionProvider } from "./extension-providers.ts";

const providerNames = list(text("the name of an extension provider"));

/** Fields of Istio's that this control plane reads and does not act on: a mesh's settings are for several programs. */
const withoutEffect = [
  ...["caCertificates", "ca", "certificates", "configSources", "connectTimeout"],
  ...["defaultDestinationRuleExportTo", "defaultHttpRetryPolicy", "defaultServiceExportTo"],
  ...["defaultTrafficPolicy", "defaultVirtualServiceExportTo", "discoverySelectors", "dnsRefreshRate"],
  ...["enableAutoMtls", "enableEnvoyAccessLogService", "h2UpgradePolicy"],
  ...["hboneIdleTimeout", "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass"],
  ...["ingressControllerMode", "ingressSelector", "ingressService", "localityLbSetting", "meshMTLS"],
  ...["outboundClusterStatName", "outboundTrafficPolicy", "pathNormalization", "protocolDetectionTimeout"],
  ...["proxyHttpPort", "proxyInboundListenPort", "proxyListenPort", "rootNamespace"],
  ...["serviceEntryVisibility", "serviceScopeConfigs", "serviceSettings", "tcpKeepalive", "tlsDefaults"],
  ...["trustDomain", "trustDomainAliases", "verifyCertificateAtClient", "zoneAwareLbSetting"],
] as const;

/** What the agent, the installation or a flag of the control plane acts on: nothing is missing without it here. */
const others: ReadonlySet<string> = new Set([
  ...["ingressClass", "ingressControllerMode", "ingressSelector"],
  ...["ingressService", "rootNamespace", "trustDomain", "trustDomainAliases"],
]);

function passedOver(name: string): Decoder<true> {
  return (node, path, context) => {
    if (!others.has(name))
      warn(context, node, path, "has no effect here: this control plane does not act on it");
    return true;
  };
}

const ignored = Object.fromEntries(
  withoutEffect.map((name): [string, Field<true | undefined>] => [name, optional(passedOver(name))]),
) as Readonly<Record<(typeof withoutEffect)[number], Field<true | undefined>>>;

/** ProxyConfig of every agent: what is put into listeners, and all of it for the sidecars that are injected. */
const proxyDefaults: Decoder<{
  readonly tracing?: { readonly sampling?: number };
  readonly given: JsonObject;
}> = (node, path, context) => {
  const given = jsonObject(node, path, context) ?? {};
  const tracing = given["tracing"];
  const sampling = isObject(tracing) ? tracing["sampling"] : undefined;
  const isShare = typeof sampling === "number" && sampling > 0 && sampling <= 100;
  return { given, ...(isShare ? { tracing: { sampling } } : {}) };
};

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** MeshConfig (meshconfig.istio.io), as far as the control plane acts on it. */
export const meshConfig = object({
  accessLogFile: optional(text("a path", () => true)),
  accessLogFormat: optional(text("text", () => true)),
  accessLogEncoding: optional(oneOf("TEXT", "JSON")),
  disableEnvoyListenerLog: optional(boolean),
  enableTracing: optional(boolean),
  enablePrometheusMerge: optional(boolean),
  defaultConfig: optional(proxyDefaults),
  extensionProviders: optional(list(extensionProvider)),
  defaultProviders: optional(
    object({
      accessLogging: optional(providerNames),
      tracing: optional(providerNames),
      metrics: optional(providerNames),
    }),
  ),
  ...ignored,
});
