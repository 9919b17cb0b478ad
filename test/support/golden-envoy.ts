/**
 * Resources of the control plane as a bootstrap that Envoy can load at once: every scene of `golden/translate` beside
 * the others, each name of a cluster, listener or route with its scene before it.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { GeneratedResource, PushedType } from "../../src/controlplane/networking/pushed-types.ts";
import { grpcCluster } from "./envoy-config.ts";
import { testEnvoy } from "./envoy.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** What one proxy is pushed. */
export interface Scene {
  readonly name: string;
  readonly resources: readonly (readonly [type: PushedType, list: readonly GeneratedResource[]])[];
}

type Json = Record<string, unknown>;

/** What Envoy says against the scenes; undefined when it takes all of them. */
export async function envoyRefusal(scenes: readonly Scene[]): Promise<string | undefined> {
  using folder = temporaryFolder();
  const path = join(folder.path, "bootstrap.json");
  writeFileSync(path, JSON.stringify(bootstrapOf(scenes)));
  const envoy = await testEnvoy();
  const args = ["--mode", "validate", "-c", path, "--log-level", "error", "--base-id", "0"];
  // Logs may go to /dev/stdout, which cannot be opened where that is a socket.
  const words = ["-c", 'exec "$@" >/dev/null', "sh", envoy, ...args];
  return await promisify(execFile)("/bin/sh", words, { maxBuffer: 2 ** 26, timeout: 300_000 }).then(
    () => undefined,
    (error: unknown) => String((error as { stderr?: string }).stderr ?? error).slice(0, 4_000),
  );
}

/** The scenes that Envoy refuses, each with its words: all at once first, one by one only where that fails. */
export async function refusedScenes(scenes: readonly Scene[]): Promise<Readonly<Record<string, string>>> {
  if (scenes.length === 0) return {};
  const refusal = await envoyRefusal(scenes);
  if (refusal === undefined) return {};
  const [only] = scenes;
  if (only !== undefined && scenes.length === 1) return { [only.name]: refusal };
  const half = Math.ceil(scenes.length / 2);
  return { ...(await refusedScenes(scenes.slice(0, half))), ...(await refusedScenes(scenes.slice(half))) };
}

function bootstrapOf(scenes: readonly Scene[]): object {
  const ports = new Map<string, number>();
  // Each place of each scene is one of its own: two listeners of one scene at one place are still found.
  const placed = (scene: string, where: unknown): unknown => {
    const place = (where as { socketAddress?: { address: string; portValue: number } }).socketAddress;
    if (place === undefined) return where;
    const key = `${scene} ${place.address} ${place.portValue}`;
    const portValue = ports.get(key) ?? ports.size + 1;
    ports.set(key, portValue);
    return { socketAddress: { ...place, portValue } };
  };
  const parts = scenes.map((scene) => {
    const { clusters, listeners } = partsOf(scene);
    const apart = listeners.map((listener) => ({
      ...listener,
      address: placed(scene.name, listener["address"]),
      ...("additionalAddresses" in listener
        ? {
            additionalAddresses: (listener["additionalAddresses"] as readonly Json[]).map(({ address }) => ({
              address: placed(scene.name, address),
            })),
          }
        : {}),
    }));
    return { clusters, listeners: apart };
  });
  return {
    node: { id: "golden", cluster: "golden" },
    dynamic_resources: {
      ads_config: {
        api_type: "GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
    static_resources: {
      clusters: [
        grpcCluster("xds-grpc", 1),
        grpcCluster("sds-grpc", 1),
        ...parts.flatMap(({ clusters }) => clusters),
      ],
      listeners: parts.flatMap(({ listeners }) => listeners),
    },
  };
}

function partsOf({ name: scene, resources }: Scene): {
  readonly clusters: Json[];
  readonly listeners: Json[];
} {
  const of = (kind: string): readonly Json[] =>
    resources.flatMap(([type, list]) => (type.kind === kind ? list.map(({ json }) => json as Json) : []));
  const names = new Set(["cluster", "listener"].flatMap((kind) => of(kind).map(({ name }) => String(name))));
  const routes = new Map(of("route").map((route) => [String(route["name"]), route]));
  const renamed = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") {
      return names.has(value) &&
        ["name", "cluster", "clusterName", "collectorCluster", "serviceName"].includes(key)
        ? `${scene}/${value}`
        : value;
    }
    if (Array.isArray(value)) return value.map((item) => renamed(item, key));
    if (typeof value !== "object" || value === null) return value;
    const json = value as Json;
    // What comes over RDS is written in: Envoy looks at it then.
    const rds = json["rds"] as { routeConfigName: string } | undefined;
    if (rds !== undefined) {
      const { rds: _rds, ...rest } = json;
      const config = routes.get(rds.routeConfigName) ?? { name: rds.routeConfigName, virtualHosts: [] };
      return renamed({ ...rest, routeConfig: config });
    }
    return Object.fromEntries(Object.entries(json).map(([field, item]) => [field, renamed(item, field)]));
  };
  const assignments = of("endpoint").map((assignment): Json => {
    const name = `${scene}/endpoints of ${String(assignment["clusterName"])}`;
    return {
      name,
      type: "STATIC",
      connectTimeout: "1s",
      loadAssignment: { ...assignment, clusterName: name },
    };
  });
  return {
    clusters: [...(of("cluster").map((json) => renamed(json)) as Json[]), ...assignments],
    listeners: of("listener").map((json) => renamed(json) as Json),
  };
}
