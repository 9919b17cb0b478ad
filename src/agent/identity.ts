/**
 * The workload's identity and what follows it: the token's alarm, and the files for applications.
 */
import type { KeyObject } from "node:crypto";
import type { AgentConfig } from "../config/agent-config.ts";
import { GoogleTokens } from "../identity/google-token.ts";
import { outputCerts } from "../identity/output-certs.ts";
import { SecretManager } from "../identity/secret-manager.ts";
import { googleMetadata, kubelet } from "../identity/token.ts";
import { watchToken } from "../identity/token-watch.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SpanSink } from "../telemetry/spans.ts";

/** The manager, and where the mesh's trust bundles go. */
export interface RunningIdentity {
  readonly identity: SecretManager;
  /** PEM bundles besides the source's own root. */
  readonly trustBundles: Watch<readonly string[]>;
}

/** What they need. */
export interface IdentityParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: TaskGroup;
  /** Gets spans; undefined where nobody traces them. */
  readonly spans: SpanSink | undefined;
  /** How often a file was replaced that authenticates this workload or its CA. */
  readonly credentialChanges: ReadonlyWatch<number>;
  /** A key that is being made for the first certificate. */
  readonly firstKey: Promise<KeyObject> | undefined;
}

/** Start every part in `tasks`. */
export function startIdentity(
  config: Pick<AgentConfig, "identity" | "outputCerts">,
  { log, metrics, tasks, credentialChanges, spans, firstKey }: IdentityParts,
): RunningIdentity {
  const { identity: options, outputCerts: output } = config;
  const trustBundles = new Watch<readonly string[]>(options.trustBundles);
  const deps = { log, metrics, now: () => new Date(), trustBundles, credentialChanges, spans, firstKey };
  const identity = SecretManager.create(options, deps);
  const { tokenPath, googleToken } = options;
  const tokens = googleToken === undefined ? undefined : new GoogleTokens(googleToken, tokenPath, deps);
  if (tokens !== undefined) tasks.spawn("fetch-token", (signal) => tokens.run(signal));
  tasks.spawn("rotate-certificate", async (signal) => {
    await tokens?.tried;
    await identity.run(signal);
  });
  // The discovery server wants it too, wherever the certificate comes from.
  const keeper = tokens === undefined ? kubelet : googleMetadata;
  tasks.spawn("watch-token", (signal) => watchToken(tokenPath, keeper, deps, signal));
  if (output !== undefined) {
    tasks.spawn("output-certificates", (signal) => outputCerts(output, identity.state, deps, signal));
  }
  return { identity, trustBundles };
}
