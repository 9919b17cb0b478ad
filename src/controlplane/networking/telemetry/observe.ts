/**
 * What a proxy tells of the traffic that passes it: access logs and spans, put into listeners that are made already.
 */
import type { AccessLogJson } from "../../../proto/envoy/envoy/config/accesslog/v3/accesslog_pb.js";
import type {
  FilterChainJson,
  FilterJson,
} from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { extensionProvider } from "../../config/extension-providers.ts";
import type { SidecarSpec } from "../../config/objects.ts";
import type { TracedNode } from "../../model/caller.ts";
import type { Model } from "../../model/model.ts";
import { accessLog, expressionFilter, filtered, meshFileLog } from "./access-log.ts";
import { applyingTelemetries, type ObservedWorkload } from "./applying.ts";
import { mergeLogs, type Side } from "./merge-logs.ts";
import { mergeTracing } from "./merge-tracing.ts";
import { type FindProvider, providerFinder } from "./provider-cluster.ts";
import { type Traced, traced, tracedByBootstrap } from "./tracing.ts";

/** What is read of the mesh. */
export type ObservedModel = Pick<Model, "settings" | "telemetries" | "meshConfig" | "providerServices">;

/** What is read of a proxy. */
export interface ObservedProxy extends ObservedWorkload {
  /** Undefined where nothing of the mesh is traced. */
  readonly traced: TracedNode | undefined;
}

/** Listeners with what is told of their traffic. */
export function withTelemetry(
  listeners: readonly ListenerJson[],
  {
    model,
    proxy,
    sidecar,
    side,
  }: {
    readonly model: ObservedModel;
    readonly proxy: ObservedProxy;
    readonly sidecar: SidecarSpec | undefined;
    readonly side: Side;
  },
): readonly ListenerJson[] {
  const find = providerFinder(model.providerServices, proxy.namespace, sidecar);
  const applying = applyingTelemetries(model, proxy);
  const logs = logsOf(model, applying, side, find);
  const spans = spansOf(model, proxy, applying, side, find);
  if (logs.length === 0 && spans.tracing === undefined) return listeners;
  const isSilent = model.meshConfig.disableEnvoyListenerLog === true;
  const refused = isSilent ? [] : logs.map(({ log, filters }) => filtered(log, [noChain, ...filters]));
  const told = logs.map(({ log, filters }) => filtered(log, filters));
  return listeners.map((listener) => ({
    ...listener,
    ...(refused.length === 0 ? {} : { accessLog: refused }),
    ...(listener.filterChains === undefined
      ? {}
      : { filterChains: listener.filterChains.map((chain) => observedChain(chain, told, spans)) }),
    ...(listener.defaultFilterChain === undefined
      ? {}
      : { defaultFilterChain: observedChain(listener.defaultFilterChain, told, spans) }),
  }));
}

/** A listener tells of connections for which it has no chain: nothing else does. */
const noChain = { responseFlagFilter: { flags: ["NR"] } };

interface FilteredLog {
  readonly log: AccessLogJson;
  readonly filters: readonly ReturnType<typeof expressionFilter>[];
}

function logsOf(
  { meshConfig }: ObservedModel,
  applying: ReturnType<typeof applyingTelemetries>,
  side: Side,
  find: FindProvider,
): readonly FilteredLog[] {
  const defaults = meshConfig.defaultProviders?.accessLogging ?? [];
  const levels = applying.flatMap(({ accessLogging = [] }) =>
    accessLogging.length === 0 ? [] : [accessLogging],
  );
  const { accessLogFile = "" } = meshConfig;
  if (levels.length === 0 && defaults.length === 0)
    return accessLogFile === "" ? [] : [{ log: meshFileLog(accessLogFile, meshConfig), filters: [] }];
  return [...mergeLogs(levels, defaults, side)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, { expression = "" }]): readonly FilteredLog[] => {
      const provider = extensionProvider(meshConfig, name);
      const log = provider === undefined ? undefined : accessLog(provider, meshConfig, find);
      return log === undefined
        ? []
        : [{ log, filters: expression === "" ? [] : [expressionFilter(expression)] }];
    });
}

/** Share of requests in percent where nobody says one, as in Istio. */
const defaultSampling = 1;

function spansOf(
  { meshConfig, settings }: ObservedModel,
  { traced: node }: ObservedProxy,
  applying: ReturnType<typeof applyingTelemetries>,
  side: Side,
  find: FindProvider,
): Traced {
  if (node === undefined) return {};
  const defaults = meshConfig.defaultProviders?.tracing ?? [];
  const entries = applying.flatMap(({ tracing = [] }) => tracing);
  const { environment = {} } = settings;
  const sampling = meshConfig.defaultConfig?.tracing?.sampling ?? defaultSampling;
  const context = { node, find, sampling, environment };
  if (entries.length === 0 && defaults.length === 0)
    return meshConfig.enableTracing === true ? tracedByBootstrap(context) : {};
  const merged = mergeTracing(entries, defaults, side);
  if (merged === undefined) return {};
  const { provider: name, ...rest } = merged;
  const provider = extensionProvider(meshConfig, name);
  return provider === undefined ? {} : traced(rest, provider, context);
}

function observedChain(
  chain: FilterChainJson,
  logs: readonly AccessLogJson[],
  spans: Traced,
): FilterChainJson {
  // Of what a sidecar never lets pass nothing is told, as in Istio.
  if (chain.filters === undefined || chain.name?.endsWith("-blackhole") === true) return chain;
  return { ...chain, filters: chain.filters.map((filter) => observedFilter(filter, logs, spans)) };
}

function observedFilter(filter: FilterJson, logs: readonly AccessLogJson[], spans: Traced): FilterJson {
  const { name, typedConfig } = filter;
  const accessLog = logs.length === 0 ? {} : { accessLog: [...logs] };
  if (typedConfig === undefined) return filter;
  switch (name) {
    case "envoy.filters.network.http_connection_manager":
      return { ...filter, typedConfig: { ...typedConfig, ...accessLog, ...spans } };
    case "envoy.filters.network.tcp_proxy":
      return { ...filter, typedConfig: { ...typedConfig, ...accessLog } };
    default:
      return filter;
  }
}
