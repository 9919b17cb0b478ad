/**
 * One sidecar of the demo: the real agent in a process and a working folder of its own.
 */
import { variableOf } from "../schema/own-variables.ts";
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { makeFolder } from "../files/folder.ts";
import { type Child, type ChildExit, spawnChild } from "../process/child.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { demoNamespace } from "./mesh-config.ts";
import type { Ports } from "./ports.ts";

/** What a sidecar is started from. */
export interface SidecarOptions {
  readonly name: "web" | "api";
  /** Working folder of the agent. */
  readonly folder: string;
  readonly ports: Ports;
  readonly self: { readonly file: string; readonly args: readonly string[] };
  readonly envoyBinary: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How long a sidecar may take to drain and stop, in milliseconds. */
const stopTimeoutMs = 15_000;

/** How long it may take once it was told to hurry, in milliseconds. */
const hurryTimeoutMs = 2_000;

/** Variables of the machine that a sidecar may have; the user's ISTIO_* would mix into the demo otherwise. */
const inherited = [
  ...["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "LANG"],
  variableOf("runtimeFolder"),
];

/** Environment of the agent, as an injector would write it. */
export function sidecarEnvironment(options: SidecarOptions): Readonly<Record<string, string>> {
  const { name, ports } = options;
  const proxyConfig = {
    discoveryAddress: `localhost:${ports["control-plane.tls"]}`,
    proxyAdminPort: ports[`${name}.admin`],
    statusPort: ports[`${name}.status`],
    concurrency: 1,
    terminationDrainDuration: "1s",
    // For `outriderctl top`.
    proxyStatsMatcher: { inclusionRegexps: ["http\\.(in|out)bound_.*\\.downstream_rq_(completed|5xx|time)"] },
  };
  return {
    ...Object.fromEntries(
      inherited.flatMap((key) => (options.env[key] === undefined ? [] : [[key, options.env[key]]])),
    ),
    POD_NAME: `${name}-1`,
    POD_NAMESPACE: demoNamespace,
    SERVICE_ACCOUNT: name,
    INSTANCE_IP: "127.0.0.1",
    ISTIO_META_INTERCEPTION_MODE: "NONE",
    ISTIO_META_WORKLOAD_NAME: name,
    ENVOY_STATUS_PORT: String(ports[`${name}.envoy-status`]),
    ENVOY_PROMETHEUS_PORT: String(ports[`${name}.prometheus`]),
    DNS_PROXY_ADDR: `127.0.0.1:${ports[`${name}.dns`]}`,
    PROXY_CONFIG: JSON.stringify(proxyConfig),
  };
}

/** A running agent. */
export class SidecarProcess {
  readonly name: "web" | "api";
  /** File of the agent's and Envoy's log. */
  readonly logPath: string;
  readonly #folder: string;
  readonly #child: Child;
  #exit: ChildExit | undefined;
  #lastProblem: string | undefined;

  private constructor(options: SidecarOptions) {
    this.name = options.name;
    this.#folder = options.folder;
    this.logPath = join(options.folder, "agent.log");
    const log = createWriteStream(this.logPath, { flags: "a" });
    const onLine = (line: string): void => {
      log.write(`${line}\n`);
      if (/\t(warn|warning|error|critical)\t|^outrider /.test(line)) this.#lastProblem = line;
    };
    this.#child = spawnChild({
      file: options.self.file,
      args: [
        ...[...options.self.args, "proxy", "sidecar", "--binaryPath", options.envoyBinary],
        ...["--wasmFolder", join(options.folder, "wasm")],
      ],
      cwd: options.folder,
      env: sidecarEnvironment(options),
      stdout: onLine,
      stderr: onLine,
    });
    this.exited = this.#child.exited.then((exit) => {
      this.#exit = exit;
      log.end();
      return exit;
    });
  }

  readonly exited: Promise<ChildExit>;

  /** Prepare the folder and start the agent. */
  static start(
    options: SidecarOptions,
    files: { readonly token: string; readonly rootPem: string },
  ): SidecarProcess {
    const { folder, name } = options;
    for (const path of ["var/run/secrets/tokens", "var/run/secrets/istio", "etc/istio/pod"]) {
      makeFolder(join(folder, path), 0o700);
    }
    writeFileSync(join(folder, "var/run/secrets/istio/root-cert.pem"), files.rootPem);
    writeFileSync(join(folder, "etc/istio/pod/labels"), `app=${JSON.stringify(name)}\n`);
    const tokenPath = join(folder, "var/run/secrets/tokens/istio-token");
    writeFileAtomic(tokenPath, files.token);
    return new SidecarProcess(options);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How the agent ended, if it did. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  /** The last warning or error in the log. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  /** Replace the token, as the kubelet does. */
  replaceToken(token: string): void {
    writeFileAtomic(join(this.#folder, "var/run/secrets/tokens/istio-token"), token);
  }

  /** Let the agent drain and stop; resolves once it is gone. `hurry` ends it at once. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.#child.kill("SIGTERM");
    const waiting = new AbortController();
    await Promise.race([this.exited, sleep(stopTimeoutMs, AbortSignal.any([hurry, waiting.signal]))]);
    if (this.#exit === undefined) {
      // Another signal than the first is the agent's sign to end Envoy and itself without a drain.
      this.#child.kill("SIGINT");
      await Promise.race([this.exited, sleep(hurryTimeoutMs, waiting.signal)]);
    }
    waiting.abort();
    if (this.#exit === undefined) this.#child.kill("SIGKILL");
    await this.exited;
  }
}
