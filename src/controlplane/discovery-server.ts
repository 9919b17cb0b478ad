/**
 * The control plane: certificate authority and discovery on one TLS port, discovery on a plain one, debug pages on HTTP.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { type GrpcService, GrpcServer } from "../grpc/server.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { Watch } from "../lifecycle/watch.ts";
import { parseHostPort } from "../net/host-port.ts";
import { HttpServer } from "../net/http-server.ts";
import { giveBack } from "../process/give-back.ts";
import { MemoryRelease } from "../process/memory-release.ts";
import type { Logger } from "../telemetry/log.ts";
import { measureEventLoop } from "../telemetry/event-loop.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { AdmissionWebhook } from "./admission/webhook.ts";
import { type Authenticator, type JwtOptions, TokenAuthenticator } from "./ca/authenticate.ts";
import { CertificateAuthority } from "./ca/authority.ts";
import { followTrust } from "./ca/follow-trust.ts";
import { type CaFolder, openSelfSignedCa, pluggedInCa } from "./ca/material.ts";
import { ServerCertificateKeeper } from "./ca/server-certificate.ts";
import { certificateService } from "./ca/service.ts";
import { TokenReviewer } from "./ca/token-review.ts";
import { openClusterCa, spawnClusterDuties } from "./cluster.ts";
import { rootNamespace } from "./config/analysis/analyze.ts";
import { debugPages } from "./debug.ts";
import { KeyedModels, type KeySetOptions } from "./jwks/keyed-models.ts";
import type { BindingPolicy } from "./model/bind-proxy.ts";
import { ConfiguredModels } from "./model/configured-models.ts";
import { makersOf } from "./networking/makers.ts";
import { decodedOf } from "./networking/pushed-types.ts";
import { serveConnection } from "./push/connection.ts";
import type { ControlPlaneIdentity } from "./push/debug-stream.ts";
import { tellIdlePatches } from "./push/idle-patches.ts";
import type { MachineRegistry } from "./model/machine-of.ts";
import { PushMetrics } from "./push/metrics.ts";
import { deltaProtocol, type ServerProtocol, sotwProtocol } from "./push/protocol.ts";
import { ServedModels } from "./push/served-models.ts";
import { ConnectionTable } from "./push/status.ts";
import { LastGoodResources } from "./push/last-good.ts";
import { ToldFaults } from "./push/told-faults.ts";
import { ToldRefusals } from "./push/told-refusals.ts";
import { Translations } from "./push/translations.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { type KubernetesOptions, openKubernetes } from "./kubernetes/open.ts";
import { RegisteredMachines } from "./registry/auto-registration/registered-machines.ts";
import type { ConsulTarget } from "./registry/consul/blocking-query.ts";
import { FileSource } from "./registry/file/file-source.ts";
import { MeshConfigSource } from "./registry/file/mesh-config-source.ts";
import { KeptSource } from "./registry/kept-source.ts";
import { readKept } from "./registry/kept-state.ts";
import { type ConfigStatus, Registry } from "./registry/registry.ts";
import { measureSources } from "./registry/source-health.ts";
import type { ConfigSource } from "./registry/source.ts";
import { waitForSources } from "./registry/wait-for-sources.ts";

/** How the control plane runs. Port 0 takes any free one. */
export interface DiscoveryOptions {
  readonly configFolder: string;
  /** File with the mesh's settings; undefined takes those of the folder. */
  readonly meshConfigFile?: string | undefined;
  /** A cluster, where services and configuration come from it as well. */
  readonly kubernetes?: KubernetesOptions | undefined;
  /** Consul, where services come from it as well. */
  readonly consul?: ConsulTarget | undefined;
  /** Variables whose values headers to extension providers may have (`envName`). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Folder of the self-signed root. */
  readonly stateDir: string;
  readonly trustDomain: string;
  /** Trust domains that the mesh had, or will have: their identities are accepted as its own. */
  readonly trustDomainAliases: readonly string[];
  /** Address that every other port listens on. */
  readonly host: string;
  /** Discovery and certificates over TLS, 15012 in Istio. */
  readonly secureGrpcPort: number;
  /**
   * Discovery in plain text, 15010 in Istio; undefined for none. Nobody proves anything there: everybody who reaches
   * it reads what any proxy is told, and nobody changes anything.
   */
  readonly grpcPort: number | undefined;
  /** Address that it listens on; loopback unless told. */
  readonly grpcHost?: string;
  /** What a proxy must be besides what it says it is; the identity of its credential unless told. */
  readonly binding?: BindingPolicy;
  readonly httpPort: number;
  /** Of the webhook that checks objects, in a cluster; any free one unless told, 15017 in Istio. */
  readonly httpsPort?: number;
  /**
   * After so many milliseconds a connection is asked to come again, so that proxies spread over control planes that were added
   * since; undefined for never.
   */
  readonly maxConnectionAgeMs?: number | undefined;
  /** Folder of a plugged-in CA; undefined uses the self-signed root. */
  readonly rootCertificateFolder?: string | undefined;
  readonly jwt: JwtOptions;
  readonly defaultWorkloadTtlMs: number;
  readonly maxWorkloadTtlMs: number;
  /** Quiet time after a change of the folder, in milliseconds. */
  readonly debounceMs: number;
  /** How long a machine that registers itself stays when its proxy is gone; 10 s unless told, as in Istio. */
  readonly machines?: { readonly graceMs: number; readonly returnMs?: number };
  /** Longest that changes of the folder may hold each other up, in milliseconds; 10 s unless told. */
  readonly debounceMaxMs?: number;
  /** How keys are fetched that RequestAuthentications name. */
  readonly keySets?: KeySetOptions;
  /** The release, as the control plane tells whoever asks; left out where that does not matter. */
  readonly version?: string;
  /** Of several control planes of a cluster which one: its service is `istiod-REVISION`. The default one unless told. */
  readonly revision?: string;
  /** What made this program, to which what is kept of registries is bound; the release unless told. */
  readonly build?: string;
}

/** What it runs in. */
export interface DiscoveryContext {
  readonly log: Logger;
  /** Ends a start that waits for a registry. */
  readonly signal?: AbortSignal;
}

/** What runs on a connection that is asked to go gets so long to end, in milliseconds (as in Istio). */
const connectionGraceMs = 10_000;

/** The running control plane; bound when `listen` resolves. */
export class DiscoveryServer implements AsyncDisposable {
  readonly ports: { readonly secureGrpc: number; readonly grpc: number | undefined; readonly http: number };
  readonly #authority: CertificateAuthority;
  readonly #registry: Registry;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    ports: DiscoveryServer["ports"],
    authority: CertificateAuthority,
    registry: Registry,
    stack: AsyncDisposableStack,
  ) {
    this.ports = ports;
    this.#authority = authority;
    this.#registry = registry;
    this.#stack = stack;
  }

  /**
   * @throws ConfigurationError when there is nothing that could be served, CaMaterialError when the CA cannot be used, Error when a
   *   port cannot be bound, and the signal's reason when it aborts before that
   */
  static async listen(
    options: DiscoveryOptions,
    { log, signal = new AbortController().signal }: DiscoveryContext,
  ): Promise<DiscoveryServer> {
    await using stack = new AsyncDisposableStack();
    const configLog = log.scope("config");
    const { configFolder: folder, debounceMs, debounceMaxMs = 10_000 } = options;
    // In the order of their priority.
    const sources: ConfigSource[] = [];
    if (options.meshConfigFile !== undefined)
      sources.push(stack.use(new MeshConfigSource(options.meshConfigFile, { debounceMs, debounceMaxMs })));
    sources.push(stack.use(await FileSource.open({ folder, debounceMs, debounceMaxMs })));
    const metrics = new Metrics("pilot_");
    const kept = {
      folder: join(options.stateDir, "registries"),
      build: options.build ?? options.version ?? "unknown",
      log: configLog,
    };
    const { kubernetes } = options;
    const api = kubernetes === undefined ? undefined : stack.use(await openKubernetes(kubernetes));
    if (kubernetes !== undefined && api !== undefined) {
      const { KubernetesSource } = await import("./registry/kubernetes/kubernetes-source.ts");
      const { domain } = kubernetes;
      const { server } = api;
      const state = readKept(kept, { name: "kubernetes", server });
      const lastGood = state?.objects ?? [];
      const source = stack.use(new KubernetesSource({ api, domain, debounceMs, debounceMaxMs, lastGood }));
      sources.push(stack.use(new KeptSource(source, { folder: kept, server, state })));
    }
    if (options.consul !== undefined) {
      const { ConsulSource } = await import("./registry/consul/consul-source.ts");
      const source = stack.use(await ConsulSource.open(options.consul, { log: configLog }));
      const server = [options.consul.url, options.consul.datacenter ?? []].flat().join(" ");
      const state = readKept(kept, { name: source.name, server });
      sources.push(stack.use(new KeptSource(source, { folder: kept, server, state })));
    }
    const machines = stack.use(
      new RegisteredMachines(
        {
          ...(options.machines ?? { graceMs: 10_000 }),
          debounceMs,
          file: join(options.stateDir, "machines.json"),
        },
        { log: configLog, metrics },
      ),
    );
    sources.push(machines);
    measureSources(metrics, sources);
    stack.use(measureEventLoop(metrics));
    await waitForSources(sources, configLog, signal);
    signal.throwIfAborted();
    const registry = stack.use(new Registry(sources, configLog));
    machines.follow(registry.configuration);
    const settings = {
      trustDomains: [options.trustDomain, ...options.trustDomainAliases],
      rootNamespace,
      ...(options.environment === undefined ? {} : { environment: options.environment }),
    };
    const configured = stack.use(new ConfiguredModels(registry.configuration, settings, configLog));
    const caLog = log.scope("ca");
    const ca = await openCa(options, api, { log: caLog, signal });
    const authority = new CertificateAuthority(await ca.read(), {
      defaultMs: options.defaultWorkloadTtlMs,
      maxMs: options.maxWorkloadTtlMs,
    });
    const root = new Watch(authority.rootPem);
    const publishRoot = (): void => {
      root.set(authority.rootPem);
      writeFileAtomic(join(options.stateDir, "root-cert.pem"), authority.rootPem, 0o644);
    };
    publishRoot();
    const tokens = new TokenAuthenticator(options.jwt);
    const authenticator =
      api !== undefined && kubernetes?.reviewsTokens === true
        ? new TokenReviewer(api, options.jwt.audiences, caLog)
        : tokens;
    const connections = new ConnectionTable();
    const pushMetrics = new PushMetrics(metrics, connections);
    const roots = new Watch(certificatesIn(authority.rootPem));
    const keyed = stack.use(
      await KeyedModels.open(configured.models, options.keySets ?? {}, { log: configLog, metrics }),
    );
    const served = stack.use(new ServedModels(keyed.models, log.scope("ads"), roots));
    const faults = new ToldFaults(log.scope("ads"), pushMetrics.internalErrors);
    const discovery = {
      served,
      translations: new Translations(served.models, faults),
      refusals: new ToldRefusals(log.scope("ads"), (typeUrl, { resource, reason }) =>
        makersOf(registry.configuration.current.objects, {
          ...{ name: resource.name, reason },
          json: decodedOf(typeUrl, resource.bytes),
        }),
      ),
      lastGood: new LastGoodResources(),
      connections,
      metrics: pushMetrics,
      release: stack.use(new MemoryRelease(giveBack())),
      machines,
      policy: options.binding ?? { binding: "identity", trustsAddresses: false },
      rootNamespace,
      identity: { id: hostname(), version: options.version ?? "unknown" },
      log: log.scope("ads"),
    };

    const keeper = await ServerCertificateKeeper.issue(authority, caLog, options.revision);
    const certificates = certificateService({
      authority,
      authenticator,
      trustDomain: options.trustDomain,
      log: caLog,
    });
    const { host, maxConnectionAgeMs } = options;
    const connectionAge =
      maxConnectionAgeMs === undefined
        ? undefined
        : { mostMs: maxConnectionAgeMs, graceMs: connectionGraceMs };
    const onFault = (reason: string): void => {
      log.scope("ads").error("a connection was ended by an unexpected error", { reason });
    };
    const secure = stack.use(
      await GrpcServer.listen(
        { host, port: options.secureGrpcPort, tls: keeper.current },
        [certificates, discoveryService(discovery, authenticator)],
        { part: "the port of discovery over TLS", connectionAge, onFault },
      ),
    );
    const { grpcPort, grpcHost = "127.0.0.1" } = options;
    const plain =
      grpcPort === undefined
        ? undefined
        : stack.use(
            await GrpcServer.listen(
              { host: grpcHost, port: grpcPort },
              [discoveryService(discovery, undefined)],
              { part: "the port of discovery in plain text", connectionAge, onFault },
            ),
          );
    const http = stack.use(
      await HttpServer.listen(
        { host, port: options.httpPort },
        debugPages({ registry, connections, metrics, identity: discovery.identity }),
        {
          part: "the debug port",
          hosts: "local",
          onFault: (reason) => {
            log.error("a request on the debug port failed", { reason });
          },
        },
      ),
    );
    const webhook =
      api === undefined
        ? undefined
        : stack.use(
            await AdmissionWebhook.listen({ host, port: options.httpsPort ?? 0, tls: keeper.current }, log),
          );
    const tasks = stack.use(new TaskGroup());
    const { jwksFile } = options.jwt;
    tasks.spawn("follow-trust", (signal) =>
      followTrust({ ca, jwksFile, authority, authenticator: tokens, log: caLog }, signal),
    );
    tasks.spawn("follow-roots", async (signal) => {
      for await (const _ of authority.changes.changes(signal)) roots.set(certificatesIn(authority.rootPem));
    });
    tasks.spawn("tell-idle-patches", (signal) =>
      tellIdlePatches(configured.models, log.scope("ads"), signal),
    );
    tasks.spawn("renew-server-certificate", (signal) =>
      keeper.run((certificate) => {
        secure.renewTls(certificate);
        webhook?.renewTls(certificate);
        publishRoot();
      }, signal),
    );
    if (api !== undefined)
      spawnClusterDuties(tasks, {
        api,
        namespace: rootNamespace,
        root,
        configuration: registry.configuration,
        metrics,
        log: caLog,
      });
    const ports = { secureGrpc: secure.port, grpc: plain?.port, http: http.port };
    return new DiscoveryServer(ports, authority, registry, stack.move());
  }

  /** PEM, one root or several. */
  get rootCertificatePem(): string {
    return this.#authority.rootPem;
  }

  /** What is being served, and why the newest state is not, if so. */
  get configStatus(): ConfigStatus {
    return this.#registry.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function openCa(
  { rootCertificateFolder, stateDir, trustDomain }: DiscoveryOptions,
  api: KubernetesApi | undefined,
  context: Required<DiscoveryContext>,
): Promise<CaFolder> {
  if (rootCertificateFolder !== undefined) return Promise.resolve(pluggedInCa(rootCertificateFolder));
  if (api === undefined) return openSelfSignedCa(stateDir, trustDomain);
  return openClusterCa(api, { namespace: rootNamespace, trustDomain, stateDir }, context);
}

function discoveryService(
  shared: {
    readonly served: ServedModels;
    readonly connections: ConnectionTable;
    readonly metrics: PushMetrics;
    readonly release: MemoryRelease;
    readonly translations: Translations;
    readonly refusals: ToldRefusals;
    readonly lastGood: LastGoodResources;
    readonly machines: MachineRegistry;
    readonly policy: BindingPolicy;
    readonly rootNamespace: string;
    readonly identity: ControlPlaneIdentity;
    readonly log: Logger;
  },
  authenticator: Authenticator | undefined,
): GrpcService {
  const serve =
    (protocol: ServerProtocol): NonNullable<GrpcService["streams"]>[string] =>
    async (stream, context) => {
      const identity = await authenticator?.authenticate(context.metadata("authorization"));

      const peer = { identity, address: addressOf(context.peer) };
      await serveConnection(protocol, stream, { ...shared, peer }, context.signal);
    };
  return {
    name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
    streams: {
      DeltaAggregatedResources: serve(deltaProtocol),
      StreamAggregatedResources: serve(sotwProtocol),
    },
  };
}

/** Each by itself, as PEM. */
function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}

/** `ip:port` without the port, and an IPv4 address in its own form. */
function addressOf(peer: string): string {
  return (parseHostPort(peer)?.host ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}
