/**
 * What an Envoy is started from, as one value that can be compared, kept and started again.
 */
import { readRegularFile } from "../../files/read-regular-file.ts";
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { envoyArguments } from "./arguments.ts";
import { generationPaths } from "./layout.ts";
import type { EnvoyOptions } from "./options.ts";

/** The request: what configuration decided. */
export interface EnvoyLaunch {
  readonly binary: string;
  readonly options: EnvoyOptions;
  /** The bootstrap for an admin socket at this path, as JSON text. */
  readonly renderBootstrap: (adminSocketPath: string) => string;
}

/** A rendered launch. Generations of it differ in their admin socket only. */
export interface PreparedLaunch {
  readonly binary: string;
  readonly options: EnvoyOptions;
  /** The bootstrap with the admin socket of generation 0, which never runs. */
  readonly bootstrap: string;
  /** Path, inode and time of the binary: a replaced one differs under the same name. */
  readonly binaryIdentity: string;
  /** Equal for launches that give the same Envoy: bootstrap, arguments, binary and the files that it reads. */
  readonly fingerprint: string;
  /** Files that the bootstrap makes Envoy read. */
  readonly files: readonly string[];
  /** Kinds of configuration that Envoy waits for before it serves. */
  readonly awaits: {
    readonly clusters: boolean;
    readonly listeners: boolean;
    readonly secrets: boolean;
    /** Clusters of the bootstrap whose names are looked up before anything is asked for, each with its hosts. */
    readonly names: readonly string[];
  };
  /** TCP ports of the bootstrap's own listeners. */
  readonly staticPorts: readonly number[];
}

/** The admin socket that stands for a generation's own in a bootstrap at rest. */
export function restingSocketPath(configPath: string): string {
  return generationPaths(configPath, 0).adminSocket;
}

/** @throws what `renderBootstrap` throws */
export function prepareLaunch({ binary, options, renderBootstrap }: EnvoyLaunch): PreparedLaunch {
  return withBootstrap(binary, options, renderBootstrap(restingSocketPath(options.configPath)));
}

/** A launch from a bootstrap at rest, such as `last-good.json`. */
export function withBootstrap(binary: string, options: EnvoyOptions, bootstrap: string): PreparedLaunch {
  const fields: unknown = JSON.parse(bootstrap);
  const files = filesOf(fields);
  const binaryIdentity = identityOfFile(binary);
  return {
    binary,
    binaryIdentity,
    options,
    bootstrap,
    fingerprint: fingerprint([
      bootstrap,
      ...envoyArguments(options, "", { kind: "alone" }),
      binaryIdentity,
      ...files.map(contentHash),
    ]),
    files,
    awaits: awaitedBy(fields),
    staticPorts: listenerPorts(fields),
  };
}

/** The bootstrap for a generation with its admin socket at `adminSocketPath`. */
export function bootstrapFor(launch: PreparedLaunch, adminSocketPath: string): string {
  const resting = JSON.stringify(restingSocketPath(launch.options.configPath));
  return launch.bootstrap.replaceAll(resting, () => JSON.stringify(adminSocketPath));
}

/** Listeners and clusters of the control plane use the workload's secrets. */
function awaitedBy(bootstrap: unknown): PreparedLaunch["awaits"] {
  const clusters = at(bootstrap, "dynamic_resources", "cds_config") !== undefined;
  const listeners = at(bootstrap, "dynamic_resources", "lds_config") !== undefined;
  const secrets = clusters || listeners || JSON.stringify(bootstrap).includes('"sds_config"');
  return { clusters, listeners, secrets, names: namesAwaited(bootstrap) };
}

/** Envoy initializes clusters of these types first (Envoy's documentation of cluster warming). */
const byName: readonly unknown[] = ["STRICT_DNS", "LOGICAL_DNS"];

function namesAwaited(bootstrap: unknown): readonly string[] {
  return listAt(bootstrap, "static_resources", "clusters").flatMap((cluster) => {
    if (!byName.includes(at(cluster, "type")) || at(cluster, "wait_for_warm_on_init") === false) return [];
    const hosts = listAt(cluster, "load_assignment", "endpoints")
      .flatMap((locality) => listAt(locality, "lb_endpoints"))
      .flatMap((one) => textAt(one, "endpoint", "address", "socket_address", "address") ?? []);
    return [`${textAt(cluster, "name") ?? ""} (${hosts.join(", ")})`];
  });
}

function fingerprint(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

function identityOfFile(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${realpathSync(path)} ${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return errorMessage(error);
  }
}

/** Largest file that a bootstrap may name and whose changes are noticed. */
const maxNamedBytes = 2 ** 26;

function contentHash(path: string): string {
  try {
    return createHash("sha256")
      .update(readRegularFile(path, { maxBytes: maxNamedBytes }))
      .digest("hex");
  } catch (error) {
    return errorMessage(error);
  }
}

/** Values of `filename` (Envoy's DataSource), wherever they stand. */
function filesOf(value: unknown): readonly string[] {
  const files = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      if (key === "filename" && typeof child === "string") files.add(child);
      else visit(child);
    }
  };
  visit(value);
  return [...files].sort();
}

function listenerPorts(bootstrap: unknown): readonly number[] {
  return listAt(bootstrap, "static_resources", "listeners").flatMap((listener) => {
    const port = at(listener, "address", "socket_address", "port_value");
    return typeof port === "number" && port > 0 ? [port] : [];
  });
}
