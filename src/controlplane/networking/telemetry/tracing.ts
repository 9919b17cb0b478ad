/** How requests are traced (Envoy's HTTP connection manager), and where spans go. */
import type { TypedExtensionConfigJson } from "../../../proto/envoy/envoy/config/core/v3/extension_pb.js";
import type { HttpServiceJson } from "../../../proto/envoy/envoy/config/core/v3/http_service_pb.js";
import { DatadogConfigSchema } from "../../../proto/envoy/envoy/config/trace/v3/datadog_pb.js";
import { OpenTelemetryConfigSchema } from "../../../proto/envoy/envoy/config/trace/v3/opentelemetry_pb.js";
import { SkyWalkingConfigSchema } from "../../../proto/envoy/envoy/config/trace/v3/skywalking_pb.js";
import { ZipkinConfigSchema } from "../../../proto/envoy/envoy/config/trace/v3/zipkin_pb.js";
import type { HttpConnectionManagerJson } from "../../../proto/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { UuidRequestIdConfigSchema } from "../../../proto/envoy/envoy/extensions/request_id/uuid/v3/uuid_pb.js";
import type { ExtensionProviderSpec } from "../../config/objects.ts";
import { jsonDuration } from "../durations.ts";
import { packed } from "../any.ts";
import type { TracedNode } from "../../model/caller.ts";
import { customTags } from "./custom-tags.ts";
import type { TracingSettings } from "./merge-tracing.ts";
import { type FindProvider, grpcService, type ProviderCluster } from "./provider-cluster.ts";

type Tracing = NonNullable<HttpConnectionManagerJson["tracing"]>;
type TracingProvider = NonNullable<Tracing["provider"]>;
type Headers = NonNullable<NonNullable<ExtensionProviderSpec["zipkin"]>["headers"]>;

/** What an HTTP connection manager is told. */
export type Traced = Pick<HttpConnectionManagerJson, "tracing" | "requestIdExtension">;

/** What tracing depends on beside its settings. */
export interface TracingContext {
  readonly node: TracedNode;
  readonly find: FindProvider;
  /** Share of requests in percent where no Telemetry says one. */
  readonly sampling: number;
  /** Variables that headers of providers name, those of the control plane. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Nothing for a provider that takes no spans, or one that cannot be reached. */
export function traced(
  settings: Omit<TracingSettings, "provider">,
  provider: ExtensionProviderSpec,
  context: TracingContext,
): Traced {
  const { node, sampling } = context;
  const { enableIstioTags = true, useRequestIdForTraceSampling = true } = settings;
  const found = providerOf(provider, context);
  if (found === undefined) return {};
  const { maxTagLength = 0 } = provider.zipkin ?? provider.datadog ?? provider.opentelemetry ?? {};
  const tags = customTags(settings.customTags ?? {}, enableIstioTags ? node : undefined);
  return {
    tracing: {
      ...shares(settings.randomSamplingPercentage ?? sampling),
      ...(tags.length === 0 ? {} : { customTags: [...tags] }),
      ...(node.isRouter || provider.skywalking !== undefined ? { spawnUpstreamSpan: true } : {}),
      ...(maxTagLength === 0 ? {} : { maxPathTagLength: maxTagLength }),
      provider: found,
    },
    ...(useRequestIdForTraceSampling
      ? {}
      : {
          requestIdExtension: {
            typedConfig: packed(UuidRequestIdConfigSchema, { useRequestIdForTraceSampling: false }),
          },
        }),
  };
}

/** Where no Telemetry and no provider is for it: spans go where Envoy's bootstrap says. */
export function tracedByBootstrap({ node, sampling }: TracingContext): Traced {
  return { tracing: { ...shares(sampling), customTags: [...customTags({}, node)] } };
}

function shares(value: number): Tracing {
  return { clientSampling: { value: 100 }, randomSampling: { value }, overallSampling: { value: 100 } };
}

function providerOf(spec: ExtensionProviderSpec, context: TracingContext): TracingProvider | undefined {
  const { zipkin, datadog, skywalking, opentelemetry } = spec;
  const called = zipkin ?? datadog ?? skywalking ?? opentelemetry;
  const cluster = called === undefined ? undefined : context.find(called);
  if (cluster === undefined) return undefined;
  if (zipkin !== undefined) return zipkinTracer(zipkin, cluster, context);
  if (opentelemetry !== undefined) return openTelemetryTracer(opentelemetry, cluster, context);
  if (datadog !== undefined) {
    const config = {
      collectorCluster: cluster.cluster,
      collectorHostname: cluster.host,
      serviceName: context.node.cluster,
    };
    return { name: "envoy.tracers.datadog", typedConfig: packed(DatadogConfigSchema, config) };
  }
  const token = skywalking?.accessToken;
  const typedConfig = packed(SkyWalkingConfigSchema, {
    grpcService: grpcService(cluster),
    ...(token === undefined ? {} : { clientConfig: { backendToken: token } }),
  });
  return { name: "envoy.tracers.skywalking", typedConfig };
}

function zipkinTracer(
  spec: NonNullable<ExtensionProviderSpec["zipkin"]>,
  cluster: ProviderCluster,
  { environment }: TracingContext,
): TracingProvider {
  const { path = "/api/v2/spans", timeout = "5s", headers = [], traceContextOption } = spec;
  return {
    name: "envoy.tracers.zipkin",
    typedConfig: packed(ZipkinConfigSchema, {
      collectorEndpointVersion: "HTTP_JSON",
      traceId128bit: spec.enable64bitTraceId !== true,
      sharedSpanContext: false,
      ...(traceContextOption === undefined ? {} : { traceContextOption }),
      collectorService: httpService(
        `http://${cluster.host}${path}`,
        cluster,
        { timeout, headers },
        environment,
      ),
    }),
  };
}

function openTelemetryTracer(
  spec: NonNullable<ExtensionProviderSpec["opentelemetry"]>,
  cluster: ProviderCluster,
  context: TracingContext,
): TracingProvider {
  const { node, environment } = context;
  const { http, grpc, serviceAttributeEnrichment } = spec;
  const bySemantics = serviceAttributeEnrichment === "OTEL_SEMANTIC_CONVENTIONS";
  const detectors = [
    ...(spec.resourceDetectors?.environment !== undefined || bySemantics ? [detector("Environment")] : []),
    ...(spec.resourceDetectors?.dynatrace === undefined ? [] : [detector("Dynatrace")]),
  ];
  const metadata = (grpc?.initialMetadata ?? []).map((header) => headerOf(header, environment));
  const typedConfig = packed(OpenTelemetryConfigSchema, {
    serviceName: bySemantics ? node.service : node.cluster,
    ...(http === undefined
      ? {
          grpcService: {
            ...grpcService(cluster),
            ...(grpc?.timeout === undefined ? {} : { timeout: jsonDuration(grpc.timeout) }),
            ...(metadata.length === 0 ? {} : { initialMetadata: metadata }),
          },
        }
      : { httpService: httpService(joined(cluster.host, http.path), cluster, http, environment) }),
    ...(detectors.length === 0 ? {} : { resourceDetectors: detectors }),
  });
  return { name: "envoy.tracers.opentelemetry", typedConfig };
}

/** Finds attributes of what sends spans in Envoy's surroundings. */
function detector(kind: "Environment" | "Dynatrace"): TypedExtensionConfigJson {
  return {
    name: `envoy.tracers.opentelemetry.resource_detectors.${kind.toLowerCase()}`,
    typedConfig: {
      "@type": `type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.${kind}ResourceDetectorConfig`,
    },
  };
}

function httpService(
  uri: string,
  { cluster }: ProviderCluster,
  {
    timeout = "5s",
    headers = [],
  }: { readonly timeout?: string | undefined; readonly headers?: Headers | undefined },
  environment: TracingContext["environment"],
): HttpServiceJson {
  return {
    httpUri: { uri, cluster, timeout: jsonDuration(timeout) },
    ...(headers.length === 0
      ? {}
      : {
          requestHeadersToAdd: headers.map((header) => ({
            appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
            header: headerOf(header, environment),
          })),
        }),
  };
}

function headerOf(
  { name, value, envName }: Headers[number],
  environment: TracingContext["environment"],
): { readonly key: string; readonly value: string } {
  return { key: name, value: value ?? environment[envName ?? ""] ?? "" };
}

function joined(host: string, path = ""): string {
  return path === "" ? host : `${host}/${path.replace(/^\//, "")}`;
}
