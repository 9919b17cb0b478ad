/**
 * What stands between the workload and its control plane, with an Envoy or without: identity, SDS and the ADS proxy.
 */
import type { KeyObject } from "node:crypto";
import type { AgentConfig } from "../config/agent-config.ts";
import type { DnsProxy } from "../dns/dns-proxy.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import { createTokenReader } from "../identity/token.ts";
import type { WorkloadSecret } from "../identity/workload-secret.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { Watch } from "../lifecycle/watch.ts";
import type { SdsSecrets } from "../sds/secrets.ts";
import { SdsServer } from "../sds/server.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";
import { XdsProxy } from "../xdsproxy/xds-proxy.ts";
import { followCredentials } from "./credentials.ts";
import { startIdentity } from "./identity.ts";
import { resourceHandlers } from "./resource-handlers.ts";

/** What they need. */
export interface ControlPlaneDependencies {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
  /** Gets the servers, in order of start. */
  readonly stack: AsyncDisposableStack;
  /** Gets spans; undefined where nobody traces them. */
  readonly spans: SpanSink | undefined;
  /** A key that is being made for the first certificate. */
  readonly firstKey: Promise<KeyObject> | undefined;
  /** Gets the mesh's names; undefined where nobody asks for them. */
  readonly dns: Pick<DnsProxy, "takeTable"> | undefined;
}

/** @throws the error of a socket that cannot be bound */
export async function startControlPlaneServices(
  config: AgentConfig,
  { log, metrics, tasks, stack, dns, spans, firstKey }: ControlPlaneDependencies,
): Promise<{ readonly identity: SecretManager; readonly xds: XdsProxy }> {
  const credentialChanges = followCredentials(config, tasks);
  const { identity, trustBundles } = startIdentity(config, {
    log: log.scope("citadelclient"),
    ...{ metrics, tasks, credentialChanges, spans, firstKey },
  });
  const secrets = new Watch<SdsSecrets>({});
  if (config.identity.source.kind === "external-sds") {
    const { socketPath } = config.identity.source;
    const own = config.sds.path;
    log.info("another server is at the SDS socket: Envoy has its certificate from there", {
      socketPath,
      own,
    });
  } else {
    tasks.spawn("publish-secrets", async (signal) => {
      for await (const { secret, trustDomains = [] } of identity.state.changes(signal)) {
        secrets.set(secret === undefined ? {} : secretsOf(secret, trustDomains));
      }
    });
  }
  const sds = stack.use(await SdsServer.listen(config.sds, { secrets, log: log.scope("sds"), metrics }));
  tasks.spawn("follow-secrets", (signal) => sds.run(signal));
  const xds = stack.use(
    await XdsProxy.listen(config.xds, {
      credentialChanges,
      token: createTokenReader(config.identity.tokenPath),
      log: log.scope("xdsproxy"),
      metrics,
      spans,
      handlers: resourceHandlers(config, { trustBundles, dns, log, metrics, tasks }),
    }),
  );
  return { identity, xds };
}

function secretsOf(secret: WorkloadSecret, trustDomains: readonly string[]): SdsSecrets {
  const { rootPem, crlPem, federatedBundles: bundles } = secret;
  return {
    workload: secret,
    rootPem,
    ...(crlPem === undefined ? {} : { crlPem }),
    ...(bundles === undefined || bundles.size === 0 ? {} : { federation: { trustDomains, bundles } }),
  };
}
