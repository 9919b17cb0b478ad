/**
 * What the agent itself does with resources of the control plane: one row for each type.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { DnsProxy } from "../dns/dns-proxy.ts";
import { readPushedBundle } from "../identity/pushed-bundle.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { typeUrl } from "../xds/type-urls.ts";
import type { ResourceHandler, ResourceHandlers } from "../xdsproxy/handlers/resource-handler.ts";
import { nameTableHandler } from "./dns.ts";
import { extensionHandler, wasmLoader } from "./wasm.ts";

/** What the handlers work with. */
export interface HandlerDependencies {
  /** Gets the mesh's roots, which take the place of ProxyConfig's. */
  readonly trustBundles: Watch<readonly string[]>;
  /** Gets the mesh's names; undefined where nobody asks for them. */
  readonly dns: Pick<DnsProxy, "takeTable"> | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
}

/** A type that nobody here reads has no row, and is not subscribed to. */
export function resourceHandlers(
  { identity, wasm }: Pick<AgentConfig, "identity" | "wasm">,
  { trustBundles, dns, log, metrics, tasks }: HandlerDependencies,
): ResourceHandlers {
  const load = wasm === undefined ? undefined : wasmLoader(wasm, { log: log.scope("wasm"), metrics, tasks });
  return {
    ...(dns === undefined ? {} : { [typeUrl.nameTable]: nameTableHandler(dns) }),
    ...(identity.takesPushedBundle ? { [typeUrl.proxyConfig]: trustBundleHandler(trustBundles) } : {}),
    [typeUrl.extension]: extensionHandler(load),
  };
}

/** Istio's PCDS. */
export function trustBundleHandler(trustBundles: Watch<readonly string[]>): ResourceHandler {
  return {
    kind: "consume",
    take: (value) => {
      const bundle = readPushedBundle(value);
      if (bundle.kind === "refused") return bundle;
      trustBundles.set(bundle.rootsPem);
      return { kind: "accepted" };
    },
  };
}
