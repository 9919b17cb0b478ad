/**
 * Brings a module from its source into the store.
 */
import { readRegularText } from "../files/read-regular-file.ts";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backoff } from "../lifecycle/backoff.ts";
import { retrying } from "../lifecycle/retry.ts";
import { WasmFetchError } from "./fetch-error.ts";
import type { GuardedHttp } from "./fetch/guarded-http.ts";
import { receiveFile } from "./fetch/receive.ts";
import { statusError } from "./fetch/status.ts";
import type { WasmMetrics } from "./metrics.ts";
import type { ModuleSource } from "./module-source.ts";
import type { WasmOptions } from "./options.ts";
import type { RemoteModule } from "./plugin.ts";
import { type Credentials, credentialsFor } from "./registry/docker-config.ts";
import type { ImageReference } from "./registry/image-reference.ts";
import { RegistryClient } from "./registry/registry-client.ts";
import type { ModuleStore, NewModule } from "./store/module-store.ts";
import { sha256OfFile } from "./store/sha256.ts";
import { unpackModule } from "./unpack/unpack.ts";

/** What fetching needs. */
export interface FetchDependencies {
  readonly options: WasmOptions;
  readonly http: GuardedHttp;
  readonly store: ModuleStore;
  readonly metrics: WasmMetrics;
}

/** A module in the store. */
export interface FetchedModule {
  readonly path: string;
  readonly checksum: string;
  /** Of the module, if it was downloaded. */
  readonly bytes: number;
}

const backoff: Backoff = { initialMs: 500, multiplier: 2, maxMs: 5_000, jitter: 0.25 };

/** Node.js' names of processors in the words of images. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64" };

/** @throws WasmFetchError, or the system error of a disk that does not take it */
export async function fetchModule(
  source: ModuleSource,
  module: RemoteModule,
  deps: FetchDependencies,
  signal: AbortSignal,
): Promise<FetchedModule> {
  await using incoming = deps.store.incoming();
  const work = { ...deps, module, folder: incoming.path, signal };
  return source.kind === "http"
    ? await fetchFile(source.url, source.name, work)
    : await fetchImage(source.image, source.name, work);
}

interface Work extends FetchDependencies {
  readonly module: RemoteModule;
  /** Of its own, for what is not a module yet. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function fetchFile(url: URL, name: string, work: Work): Promise<FetchedModule> {
  const { http, options, module, folder, signal } = work;
  let attempt = 0;
  const { path, received } = await again(work, async () => {
    attempt += 1;
    const target = join(folder, String(attempt));
    using response = await http.send({ url, signal });
    if (response.status !== 200) throw statusError("download_failure", url, response.status, url.pathname);
    return { path: target, received: await receiveFile(response, target, options.maxModuleBytes) };
  });
  const unpacked = await unpackWithin(path, false, work);
  const { sha256 } = module;
  // The checksum may be of what is downloaded or of the module in it.
  if (sha256 !== undefined && sha256 !== received && sha256 !== unpacked.sha256)
    throw new WasmFetchError("checksum_mismatched", `it has the checksum ${received}, not ${sha256}`);
  const checksum = sha256 ?? unpacked.sha256;
  return { checksum, path: await work.store.add(name, checksum, unpacked), bytes: unpacked.bytes };
}

async function fetchImage(image: ImageReference, name: string, work: Work): Promise<FetchedModule> {
  const { http, options, module, folder, signal, store } = work;
  const client = new RegistryClient({
    ...{ http, image, signal },
    credentials: await credentials(image, work),
    architecture: architectures[process.arch] ?? process.arch,
    again: (request) => again(work, request),
  });
  const { digest, indexDigest, layer, isTar } = await client.resolve();
  const { sha256 } = module;
  if (sha256 !== undefined && sha256 !== digest && sha256 !== indexDigest)
    throw new WasmFetchError("checksum_mismatched", `the image has the digest ${digest}, not ${sha256}`);
  const checksum = sha256 ?? image.digest?.slice("sha256:".length) ?? digest;
  const known = await store.find(name, checksum);
  if (known !== undefined) return { checksum, path: known, bytes: 0 };
  const path = await client.download(
    layer,
    (attempt) => join(folder, String(attempt)),
    options.maxModuleBytes,
  );
  const unpacked = await unpackWithin(path, isTar, work);
  return { checksum, path: await store.add(name, checksum, unpacked), bytes: unpacked.bytes };
}

async function unpackWithin(
  path: string,
  isLayer: boolean,
  { options, signal }: Work,
): Promise<NewModule & { readonly bytes: number }> {
  const { maxModuleBytes } = options;
  const file = await unpackModule(path, { maxModuleBytes, isLayer, signal });
  const { size } = await stat(file);
  if (size > maxModuleBytes)
    throw new WasmFetchError("fetch_failure", `the module is larger than ${maxModuleBytes} bytes`);
  return { file, sha256: await sha256OfFile(file), bytes: size };
}

async function credentials(
  { registry, repository }: ImageReference,
  { module, options }: Work,
): Promise<Credentials> {
  const { pullSecret } = module;
  if (pullSecret === "")
    throw new WasmFetchError(
      "manifest_failure",
      "its pull secret is not there: create it in the workload's namespace",
    );
  const config = pullSecret ?? readIfThere(options.dockerConfigPath);
  const found =
    config === undefined ? { kind: "anonymous" as const } : credentialsFor(config, registry, repository);
  if (found !== undefined) return found;
  const what = pullSecret === undefined ? String(options.dockerConfigPath) : "its pull secret";
  throw new WasmFetchError("manifest_failure", `${what} is no configuration of Docker with credentials`);
}

function readIfThere(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readRegularText(path);
  } catch {
    return undefined;
  }
}

/** One request, and again while there are tries left and another may mend it. */
async function again<T>({ options, metrics, signal }: Work, request: () => Promise<T>): Promise<T> {
  let attempts = 0;
  let last: unknown;
  try {
    return await retrying(
      () => {
        attempts += 1;
        return request();
      },
      {
        backoff,
        signal,
        onFailure: ({ error }) => {
          last = error;
          metrics.retried();
        },
        isFinal: (error) =>
          attempts >= options.maxAttempts || !(error instanceof WasmFetchError) || !error.isTransient,
      },
    );
  } catch (error) {
    // That the time is over says less than what it was spent on.
    throw signal.aborted && last instanceof WasmFetchError ? last : error;
  }
}
