/**
 * What a control plane does in a cluster besides following it: one of all control planes writes the root into every namespace, and the status of objects.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { keepCaBundle, namedConfigurations, tagConfigurations } from "./admission/ca-bundle.ts";
import { keepRootConfigMaps } from "./ca/root-config-maps.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { LeaseHolder } from "./kubernetes/lease.ts";
import { WriteMetrics } from "./kubernetes/object-writer.ts";
import { keepStatus } from "./object-status/keep-status.ts";
import type { Configuration } from "./registry/registry.ts";

/** Follow and write until the tasks end. */
export function spawnClusterDuties(
  tasks: TaskGroup,
  {
    api,
    namespace,
    root,
    revision,
    configuration,
    metrics,
    log,
  }: {
    readonly api: KubernetesApi;
    readonly namespace: string;
    readonly root: ReadonlyWatch<string>;
    readonly revision: string;
    readonly configuration: ReadonlyWatch<Configuration>;
    readonly metrics: Metrics;
    readonly log: Logger;
  },
): void {
  const writing = { api, log, metrics: new WriteMetrics(metrics) };
  const identity = `${hostname()}_${randomUUID()}`;
  const lease = new LeaseHolder(api, { namespace, name: "outrider-leader", identity }, log);
  // Whoever leads may be of another revision, and knows nothing of this one.
  const own = [...(revision === "default" ? [] : namedConfigurations(revision)), tagConfigurations(revision)];
  tasks.spawn("keep-own-webhooks", (signal) =>
    keepCaBundle({ ...writing, root, configurations: own }, signal),
  );
  tasks.spawn("lead-cluster", (signal) =>
    lease.run(async (leading) => {
      await Promise.all([
        keepRootConfigMaps({ ...writing, root }, leading),
        keepCaBundle({ ...writing, root, configurations: namedConfigurations("default") }, leading),
        keepStatus({ ...writing, configuration }, leading),
      ]);
    }, signal),
  );
}
