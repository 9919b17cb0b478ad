/**
 * The control plane: certificate authority and discovery on one TLS port, discovery on a plain one, debug pages on HTTP.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { GrpcServer } from "../grpc/server.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { Watch } from "../lifecycle/watch.ts";
import { HttpServer } from "../net/http-server.ts";
import { giveBack } from "../process/give-back.ts";
import { MemoryRelease } from "../process/memory-release.ts";
import type { Logger } from "../telemetry/log.ts";
import { measureEventLoop } from "../telemetry/event-loop.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { AdmissionWebhook } from "./admission/webhook.ts";
import { type JwtOptions, TokenAuthenticator } from "./ca/authenticate.ts";
import { CertificateAuthority } from "./ca/authority.ts";
import { type ClusterCaOptions, followClusterCa, openClusterCa } from "./ca/cluster-ca.ts";
import { followTrust } from "./ca/follow-trust.ts";
import { type CaFolder, openSelfSignedCa, pluggedInCa } from "./ca/material.ts";
import { ServerCertificateKeeper } from "./ca/server-certificate.ts";
import { certificateService } from "./ca/service.ts";
import { TokenReviewer } from "./ca/token-review.ts";
import { spawnClusterDuties } from "./cluster.ts";
import { signingKeys } from "./registry/nomad/nomad-api.ts";
import { NomadTokens } from "./ca/nomad-tokens.ts";
import { rootNamespace } from "./config/analysis/analyze.ts";
import { debugPages } from "./debug.ts";
import { discoveryService } from "./discovery-service.ts";
import { CurrentInjection, type InjectionOptions } from "./injection.ts";
import { KeyedModels, type KeySetOptions } from "./jwks/keyed-models.ts";
import type { BindingPolicy } from "./model/bind-proxy.ts";
import { McpPages } from "./mcp-pages.ts";
import { ConfiguredModels } from "./model/configured-models.ts";
import { makersOf } from "./networking/makers.ts";
import { decodedOf } from "./networking/pushed-types.ts";
import { tellIdlePatches } from "./push/idle-patches.ts";
import { PushMetrics } from "./push/metrics.ts";
import { ServedModels } from "./push/served-models.ts";
import { ConnectionTable } from "./push/status.ts";
import { LastGoodResources } from "./push/last-good.ts";
import { ToldFaults } from "./push/told-faults.ts";
import { ToldRefusals } from "./push/told-refusals.ts";
import { Translations } from "./push/translations.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { openKubernetes } from "./kubernetes/open.ts";
import { openSources, type SourceOptions } from "./open-sources.ts";
import { RegisteredMachines } from "./registry/auto-registration/registered-machines.ts";
import { type ConfigStatus, Registry } from "./registry/registry.ts";
import { measureSources } from "./registry/source-health.ts";
import { waitForSources } from "./registry/wait-for-sources.ts";

/** How the control plane runs. Port 0 takes any free one. */
export interface DiscoveryOptions extends SourceOptions {
  /** Variables whose values headers to extension providers may have (`envName`). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
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
  /** How long a machine that registers itself stays when its proxy is gone; 10 s unless told, as in Istio. */
  readonly machines?: { readonly graceMs: number; readonly returnMs?: number };
  /** How keys are fetched that RequestAuthentications name. */
  readonly keySets?: KeySetOptions;
  /** Of several control planes of a cluster which one: its service is `istiod-REVISION`. The default one unless told. */
  readonly revision?: string;
  /** How pods get their sidecars, in a cluster; left out where they do not. */
  readonly injection?: InjectionOptions;
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
    const metrics = new Metrics("pilot_");
    const { kubernetes } = options;
    const api = kubernetes === undefined ? undefined : stack.use(await openKubernetes(kubernetes));
    const sources = await openSources(options, { api, log: configLog, stack });
    const machines = stack.use(
      new RegisteredMachines(
        {
          ...(options.machines ?? { graceMs: 10_000 }),
          debounceMs: options.debounceMs,
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
    const { audiences } = options.jwt;
    const others =
      api !== undefined && kubernetes?.reviewsTokens === true
        ? new TokenReviewer(api, audiences, caLog)
        : tokens;
    const { nomad } = options;
    const authenticator =
      nomad === undefined
        ? others
        : new NomadTokens(
            { fetchKeys: (signal) => signingKeys(nomad, signal), audiences, log: caLog },
            others,
          );
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
      sources: () => registry.sources,
      objectPages: new McpPages(registry.configuration, log.scope("ads")),
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
    const tasks = stack.use(new TaskGroup());
    const injection =
      api === undefined || options.injection === undefined
        ? undefined
        : openInjection(options, options.injection, {
            api,
            configuration: registry.configuration,
            metrics,
            log,
            tasks,
          });
    const webhook =
      api === undefined
        ? undefined
        : stack.use(
            await AdmissionWebhook.listen(
              {
                host,
                port: options.httpsPort ?? 0,
                tls: keeper.current,
                ...(injection && { injection: () => injection.state }),
              },
              log,
            ),
          );
    const { jwksFile } = options.jwt;
    tasks.spawn("follow-trust", (signal) =>
      followTrust({ ca, jwksFile, authority, authenticator: tokens, log: caLog }, signal),
    );
    if (api !== undefined && options.rootCertificateFolder === undefined)
      tasks.spawn("follow-cluster-ca", (signal) =>
        followClusterCa(api, clusterCaOf(options), { log: caLog, signal }),
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
        revision: options.revision ?? "default",
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

function openInjection(
  { revision = "default", trustDomain, debounceMs, debounceMaxMs = 10_000 }: DiscoveryOptions,
  given: InjectionOptions,
  { tasks, ...context }: ConstructorParameters<typeof CurrentInjection>[1] & { readonly tasks: TaskGroup },
): CurrentInjection {
  const options = { ...given, revision, trustDomain, debounceMs, debounceMaxMs };
  const injection = new CurrentInjection(options, context);
  for (const [name, follow] of Object.entries(injection.followed)) tasks.spawn(name, follow);
  return injection;
}

function openCa(
  options: DiscoveryOptions,
  api: KubernetesApi | undefined,
  context: Required<DiscoveryContext>,
): Promise<CaFolder> {
  const { rootCertificateFolder, stateDir, trustDomain } = options;
  if (rootCertificateFolder !== undefined) return Promise.resolve(pluggedInCa(rootCertificateFolder));
  if (api === undefined) return openSelfSignedCa(stateDir, trustDomain);
  return openClusterCa(api, clusterCaOf(options), context);
}

function clusterCaOf({ stateDir, trustDomain }: DiscoveryOptions): ClusterCaOptions {
  return { namespace: rootNamespace, trustDomain, stateDir };
}

/** Each by itself, as PEM. */
function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
