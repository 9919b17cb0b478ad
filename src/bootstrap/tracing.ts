/**
 * Where Envoy's spans go: the first tracer that is configured, and the cluster that leads to it.
 *
 * Envoy has no Lightstep tracer any more. Lightstep takes OpenTelemetry's protocol with the same token, so that is
 * what such a configuration becomes.
 */
import type { Json } from "./parameters.ts";
import { serviceCluster, type ServiceContext, type Tracing } from "./services.ts";

/** Envoy's `tracing` and the cluster it needs. */
export interface Tracer {
  readonly tracing: Json;
  readonly cluster: Json;
}

/** What a tracer is made with. */
export interface TracingContext extends ServiceContext {
  /** Name of the service in its spans. */
  readonly serviceName: string;
  /** Between two look-ups of Zipkin's name. */
  readonly dnsRefreshRate: string;
}

const trace = "type.googleapis.com/envoy.config.trace.v3.";

/** Undefined when no tracer is configured that Envoy has. */
export function tracerOf(settings: Tracing, context: TracingContext): Tracer | undefined {
  const { zipkin, lightstep, datadog, openTelemetry, tlsSettings: tls } = settings;
  const make = (
    name: string,
    address: string,
    isHttp2: boolean,
    http: Json,
    dnsRefreshRate?: string,
  ): Tracer => ({
    tracing: { http },
    cluster: serviceCluster(
      {
        name,
        address,
        isHttp2,
        tls,
        meshSni: "tracer",
        ...(dnsRefreshRate === undefined ? {} : { dnsRefreshRate }),
      },
      context,
    ),
  });
  if (zipkin?.address !== undefined) {
    const config = {
      "@type": `${trace}ZipkinConfig`,
      collector_cluster: "zipkin",
      collector_endpoint: "/api/v2/spans",
      collector_endpoint_version: "HTTP_JSON",
      trace_id_128bit: true,
      shared_span_context: false,
    };
    return make(
      "zipkin",
      zipkin.address,
      false,
      { name: "envoy.tracers.zipkin", typed_config: config },
      context.dnsRefreshRate,
    );
  }
  if (lightstep?.address !== undefined) {
    const http = openTelemetryTracer("lightstep", context.serviceName, lightstep.accessToken);
    return make("lightstep", lightstep.address, true, http);
  }
  if (datadog?.address !== undefined) {
    const config = {
      "@type": `${trace}DatadogConfig`,
      collector_cluster: "datadog_agent",
      service_name: context.serviceName,
    };
    return make("datadog_agent", datadog.address, false, {
      name: "envoy.tracers.datadog",
      typed_config: config,
    });
  }
  if (openTelemetry?.address !== undefined) {
    const http = openTelemetryTracer("opentelemetry", context.serviceName, undefined);
    return make("opentelemetry", openTelemetry.address, true, http);
  }
  return undefined;
}

function openTelemetryTracer(cluster: string, serviceName: string, token: string | undefined): Json {
  return {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": `${trace}OpenTelemetryConfig`,
      service_name: serviceName,
      grpc_service: {
        envoy_grpc: { cluster_name: cluster },
        timeout: "5s",
        ...(token === undefined || token === ""
          ? {}
          : { initial_metadata: [{ key: "lightstep-access-token", value: token }] }),
      },
    },
  };
}
