/**
 * Where Envoy is, looked up in a fixed order.
 */
import { readSystemVariables } from "../../schema/system-variables.ts";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The release of Envoy that outrider is tested with, and that it fetches. */
export const envoyVersion = "1.40.0";

/** What decides. */
export interface LocateOptions {
  /** `--binaryPath` or ProxyConfig's binaryPath: no other place is tried when it is set. */
  readonly binaryPath: string | undefined;
  /** The variable ENVOY_PATH; likewise final. */
  readonly envoyPath: string | undefined;
  /** The variable PATH. */
  readonly searchPath: string;
  /** Folder of fetched Envoys. */
  readonly cacheFolder: string;
  readonly isExecutable: (path: string) => boolean;
}

/** A binary and how it was found, or what was tried. */
export type Located =
  | { readonly kind: "found"; readonly path: string; readonly source: string }
  /** A place that the user named holds no Envoy: nothing else may take its place. */
  | { readonly kind: "named-but-missing"; readonly path: string; readonly source: string }
  | { readonly kind: "missing"; readonly tried: readonly string[] };

/** Where istio-proxy images have Envoy, and ProxyConfig's default. */
const imagePath = "/usr/local/bin/envoy";

/** Look in the order of the documentation. */
export function locateEnvoy(options: LocateOptions): Located {
  for (const [path, source] of [
    [options.binaryPath, "binaryPath"],
    [options.envoyPath, "ENVOY_PATH"],
  ] as const) {
    if (path === undefined) continue;
    return { kind: options.isExecutable(path) ? "found" : "named-but-missing", path, source };
  }
  const candidates = [
    { path: imagePath, source: imagePath },
    ...options.searchPath
      .split(delimiter)
      .filter((folder) => folder !== "")
      .map((folder) => ({ path: join(folder, "envoy"), source: "PATH" })),
    { path: cachedEnvoy(options.cacheFolder), source: "cache" },
  ];
  const found = candidates.find(({ path }) => options.isExecutable(path));
  if (found !== undefined) return { kind: "found", ...found };
  return { kind: "missing", tried: ["ENVOY_PATH", imagePath, "PATH", cachedEnvoy(options.cacheFolder)] };
}

/** Path of the fetched Envoy of this release. */
export function cachedEnvoy(cacheFolder: string): string {
  return join(cacheFolder, envoyVersion, "envoy");
}

/** `$XDG_CACHE_HOME/outrider/envoy`, or below `~/.cache` (XDG base directory specification). */
export function envoyCacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const { HOME: home, XDG_CACHE_HOME: caches } = readSystemVariables(env);
  return join(caches || join(home || "/tmp", ".cache"), "outrider", "envoy");
}

/** True for a file that this user may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
