/**
 * Where the configuration of the mesh comes from, in the order of priority: a file of the mesh's settings, the folder, a cluster,
 * other control planes, Consul, Nomad. A part that talks to a registry is loaded where there is one.
 */
import { join } from "node:path";
import type { Logger } from "../telemetry/log.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import type { KubernetesOptions } from "./kubernetes/open.ts";
import type { ConsulTarget } from "./registry/consul/blocking-query.ts";
import { FileSource } from "./registry/file/file-source.ts";
import { MeshConfigSource } from "./registry/file/mesh-config-source.ts";
import { KeptSource } from "./registry/kept-source.ts";
import { readKept } from "./registry/kept-state.ts";
import type { McpTarget } from "./registry/mcp/mcp-target.ts";
import type { NomadTarget } from "./registry/nomad/nomad-api.ts";
import type { ConfigSource } from "./registry/source.ts";

/** Which sources, and how they are followed. */
export interface SourceOptions {
  readonly configFolder: string;
  /** File with the mesh's settings; undefined takes those of the folder. */
  readonly meshConfigFile?: string | undefined;
  /** A cluster, where services and configuration come from it as well. */
  readonly kubernetes?: KubernetesOptions | undefined;
  /** Control planes whose configuration is joined with its own. */
  readonly controlPlanes?: readonly McpTarget[] | undefined;
  /** Consul, where services come from it as well. */
  readonly consul?: ConsulTarget | undefined;
  /** Nomad, where services come from it as well. */
  readonly nomad?: NomadTarget | undefined;
  /** Folder of the self-signed root, and of what registries had. */
  readonly stateDir: string;
  /** Quiet time after a change of a source, in milliseconds. */
  readonly debounceMs: number;
  /** Longest that changes of a source may hold each other up, in milliseconds; 10 s unless told. */
  readonly debounceMaxMs?: number;
  /** The release, as the control plane tells whoever asks; left out where that does not matter. */
  readonly version?: string;
  /** What made this program, to which what is kept of registries is bound; the release unless told. */
  readonly build?: string;
}

/** What they are opened with. */
interface SourceContext {
  readonly api: KubernetesApi | undefined;
  readonly log: Logger;
  /** They end with it. */
  readonly stack: AsyncDisposableStack;
}

export async function openSources(
  options: SourceOptions,
  { api, log, stack }: SourceContext,
): Promise<ConfigSource[]> {
  const { configFolder: folder, debounceMs, debounceMaxMs = 10_000, kubernetes, consul, nomad } = options;
  const times = { debounceMs, debounceMaxMs };
  const sources: ConfigSource[] = [];
  if (options.meshConfigFile !== undefined)
    sources.push(stack.use(new MeshConfigSource(options.meshConfigFile, times)));
  sources.push(stack.use(await FileSource.open({ folder, ...times })));
  const kept = {
    folder: join(options.stateDir, "registries"),
    build: options.build ?? options.version ?? "unknown",
    log,
  };
  if (kubernetes !== undefined && api !== undefined) {
    const { KubernetesSource } = await import("./registry/kubernetes/kubernetes-source.ts");
    const { domain } = kubernetes;
    const { server } = api;
    const state = readKept(kept, { name: "kubernetes", server });
    const lastGood = state?.objects ?? [];
    const source = stack.use(new KubernetesSource({ api, domain, ...times, lastGood }));
    sources.push(stack.use(new KeptSource(source, { folder: kept, server, state })));
  }
  for (const target of options.controlPlanes ?? []) {
    const { McpSource } = await import("./registry/mcp/mcp-source.ts");
    const source = stack.use(await McpSource.open(target, { log }));
    const state = readKept(kept, { name: source.name, server: target.address });
    sources.push(stack.use(new KeptSource(source, { folder: kept, server: target.address, state })));
  }
  if (consul !== undefined) {
    const { ConsulSource } = await import("./registry/consul/consul-source.ts");
    const source = stack.use(await ConsulSource.open(consul, { log }));
    const server = [consul.url, consul.datacenter ?? []].flat().join(" ");
    const state = readKept(kept, { name: source.name, server });
    sources.push(stack.use(new KeptSource(source, { folder: kept, server, state })));
  }
  if (nomad !== undefined) {
    const { NomadSource } = await import("./registry/nomad/nomad-source.ts");
    const source = stack.use(await NomadSource.open(nomad, { log }));
    const server = [nomad.url, nomad.region ?? [], nomad.namespace].flat().join(" ");
    const state = readKept(kept, { name: source.name, server });
    sources.push(stack.use(new KeptSource(source, { folder: kept, server, state })));
  }
  return sources;
}
