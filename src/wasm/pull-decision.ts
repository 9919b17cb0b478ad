/**
 * Which module to use without asking for it again, and when to ask. Pure.
 */
import type { ModuleSource } from "./module-source.ts";
import type { RemoteModule } from "./plugin.ts";

/** What was last fetched from a URL. */
export interface Pulled {
  /** Checksum by which its module is kept. */
  readonly checksum: string;
  /** Version of each resource for which it was fetched, or found again. */
  readonly resourceVersions: Readonly<Record<string, string>>;
}

/**
 * The checksum of a module that is good enough if it is there; undefined asks the server.
 *
 * Without a checksum the pull policy decides as Kubernetes' does: with `Always`, which is the default of images
 * tagged `latest`, a change of the control plane's resource asks again.
 */
export function wantedChecksum(
  source: ModuleSource,
  module: RemoteModule,
  resource: string,
  pulled: Pulled | undefined,
): string | undefined {
  if (module.sha256 !== undefined) return module.sha256;
  const digest = source.kind === "image" ? source.image.digest : undefined;
  if (digest !== undefined) return digest.slice("sha256:".length);
  if (pulled === undefined) return undefined;
  const asksAgain =
    pullsAlways(source, module) && pulled.resourceVersions[resource] !== module.resourceVersion;
  return asksAgain ? undefined : pulled.checksum;
}

function pullsAlways(source: ModuleSource, { pullPolicy }: RemoteModule): boolean {
  if (pullPolicy !== "unspecified") return pullPolicy === "always";
  return source.kind === "image" && source.image.tag === "latest";
}
