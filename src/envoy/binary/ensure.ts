/**
 * An Envoy to run: the one that is there, or one that is fetched.
 */
import { readSystemVariables } from "../../schema/system-variables.ts";
import type { Logger } from "../../telemetry/log.ts";
import { EnvoyFetchError, fetchEnvoy, type FetchProgress } from "./fetch.ts";
import { envoyCacheFolder, isExecutable, type Located, locateEnvoy } from "./locate.ts";

/** What a user said about Envoy's place. */
export interface EnsureOptions {
  readonly binaryPath: string | undefined;
  readonly envoyPath: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends a fetch. */
  readonly signal?: AbortSignal | undefined;
}

/** Look for Envoy without fetching it. */
export function findEnvoy(options: EnsureOptions): Located {
  return locateEnvoy({
    ...options,
    searchPath: readSystemVariables(options.env).PATH,
    cacheFolder: envoyCacheFolder(options.env),
    isExecutable,
  });
}

/**
 * Find Envoy or fetch it.
 *
 * @throws EnvoyFetchError that says what to do
 */
export async function ensureEnvoy(
  options: EnsureOptions,
  onProgress: (progress: FetchProgress) => void,
): Promise<string> {
  const located = findEnvoy(options);
  switch (located.kind) {
    case "found":
      return located.path;
    case "named-but-missing":
      throw new EnvoyFetchError(
        `${located.source} names ${located.path}, which is not an executable file: correct the path, or leave it out to search ` +
          "the usual places",
      );
    case "missing":
      return fetchEnvoy({
        cacheFolder: envoyCacheFolder(options.env),
        architecture: process.arch,
        env: options.env,
        onProgress,
        signal: options.signal,
      });
  }
}

/** A progress callback that logs every quarter. */
export function logProgress(log: Logger): (progress: FetchProgress) => void {
  let logged = -1;
  return ({ receivedBytes, totalBytes }) => {
    const quarter = Math.floor((receivedBytes / totalBytes) * 4);
    if (quarter <= logged) return;
    logged = quarter;
    log.info("fetching Envoy", { receivedBytes, totalBytes });
  };
}
