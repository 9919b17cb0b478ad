/**
 * The demo mesh: control plane, two applications, two sidecars; started in that order and stopped in reverse.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTokenIssuer, type TokenIssuer } from "../controlplane/demo-tokens.ts";
import { DiscoveryServer } from "../controlplane/discovery-server.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { ticks } from "../lifecycle/tick.ts";
import { createLogger } from "../telemetry/log.ts";
import { startDemoApp } from "./demo-app.ts";
import { type AppPorts, fillFolder } from "./configuration-folder.ts";
import { demoNamespace } from "./mesh-config.ts";
import type { Ports } from "./ports.ts";
import { SidecarProcess } from "./sidecar-process.ts";

/** What the mesh is started from. */
export interface DemoMeshOptions {
  /** The release. */
  readonly version: string;
  readonly ports: Ports;
  /** The user's own folder, which is filled where it is empty; undefined makes one that goes with the mesh. */
  readonly configFolder: string | undefined;
  /** Ports of the applications that such a folder was written for. */
  readonly apps: AppPorts | undefined;
  readonly stateDir: string;
  readonly envoyBinary: string;
  readonly self: { readonly file: string; readonly args: readonly string[] };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops sidecars without a drain. */
  readonly hurry: AbortSignal;
}

const tokenLifetimeMs = 3_600_000;

/** The running mesh. */
export class DemoMesh implements AsyncDisposable {
  readonly ports: Ports;
  readonly folder: string;
  readonly configFolder: string;
  readonly controlPlane: DiscoveryServer;
  readonly sidecars: readonly SidecarProcess[];
  /** Work in the background; its failure is the mesh's. */
  readonly tasks: TaskGroup;
  readonly #stack: AsyncDisposableStack;

  private constructor(fields: {
    ports: Ports;
    folder: string;
    configFolder: string;
    controlPlane: DiscoveryServer;
    sidecars: readonly SidecarProcess[];
    tasks: TaskGroup;
    stack: AsyncDisposableStack;
  }) {
    this.ports = fields.ports;
    this.folder = fields.folder;
    this.configFolder = fields.configFolder;
    this.controlPlane = fields.controlPlane;
    this.sidecars = fields.sidecars;
    this.tasks = fields.tasks;
    this.#stack = fields.stack;
  }

  /** @throws the error of the part that could not be started; what was started is stopped again */
  static async start(options: DemoMeshOptions): Promise<DemoMesh> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "outrider-"));
    stack.defer(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const web = stack.use(await startDemoApp("web", options.apps?.web ?? 0));
    const api = stack.use(await startDemoApp("api", options.apps?.api ?? 0));
    const configFolder = options.configFolder ?? join(folder, "mesh");
    fillFolder(configFolder, options.ports, { web: web.port, api: api.port });
    const issuer = await openTokenIssuer(options.stateDir);
    const controlPlane = stack.use(await startControlPlane(options, configFolder, issuer));
    const sidecars = await Promise.all(
      (["web", "api"] as const).map(async (name) => {
        const sidecar = SidecarProcess.start(
          { ...options, name, folder: join(folder, name) },
          { token: await issueToken(issuer, name), rootPem: controlPlane.rootCertificatePem },
        );
        return sidecar;
      }),
    );
    stack.defer(async () => {
      await Promise.all(sidecars.map((sidecar) => sidecar.stop(options.hurry)));
    });
    const tasks = stack.use(new TaskGroup());
    tasks.spawn("renew-tokens", async (signal) => {
      for await (const _ of ticks(tokenLifetimeMs / 2, signal))
        for (const sidecar of sidecars) sidecar.replaceToken(await issueToken(issuer, sidecar.name));
    });
    return new DemoMesh({
      ports: options.ports,
      folder,
      configFolder,
      controlPlane,
      sidecars,
      tasks,
      stack: stack.move(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function startControlPlane(
  options: DemoMeshOptions,
  configFolder: string,
  issuer: TokenIssuer,
): Promise<DiscoveryServer> {
  // The picture shows the control plane's state; its log would tear it.
  const log = createLogger({
    json: false,
    levels: { default: "none" },
    write: () => undefined,
    now: () => new Date(),
  });
  const audiences = ["istio-ca"];
  return DiscoveryServer.listen(
    {
      configFolder,
      stateDir: options.stateDir,
      trustDomain: "cluster.local",
      trustDomainAliases: [],
      host: "127.0.0.1",
      secureGrpcPort: options.ports["control-plane.tls"],
      grpcPort: options.ports["control-plane.plain"],
      httpPort: options.ports["control-plane.http"],
      jwt: { jwks: issuer.jwks, issuer: issuer.issuer, audiences },
      defaultWorkloadTtlMs: 24 * 3_600_000,
      maxWorkloadTtlMs: 2_160 * 3_600_000,
      debounceMs: 100,
      version: options.version,
    },
    { log },
  );
}

function issueToken(issuer: TokenIssuer, serviceAccount: string): Promise<string> {
  return issuer.issue({
    namespace: demoNamespace,
    serviceAccount,
    audience: "istio-ca",
    lifetimeMs: tokenLifetimeMs,
  });
}
